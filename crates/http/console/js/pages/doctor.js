// Asks every backend for real.

import { post } from '../api.js'
import { h } from '../dom.js'
import { millis } from '../format.js'
import { badge, button, head, later, panel, status, table } from '../parts.js'

const COLUMNS = [
  { title: 'Backend', cell: (it) => it.name },
  { title: 'State', cell: (it) => status(it.ok ? 'ok' : 'down') },
  { title: 'Answered in', cell: (it) => millis(it.latency_ms), class: 'right narrow' },
  { title: 'Version', cell: (it) => it.version || '–' },
  { title: 'Facts', cell: (it) => h('span', { class: 'small' }, it.facts.map(([name, value]) => `${name} ${value}`).join(' · ') || '–') },
]

function show({ backends, findings }) {
  const errors = findings.filter((it) => it.severity === 'error').length
  const words = findings.length ? `${errors} ${errors === 1 ? 'error' : 'errors'}, ${findings.length - errors} ${findings.length - errors === 1 ? 'warning' : 'warnings'}` : 'Nothing to report.'
  return [
    panel('Findings', { note: words }, findings.length > 0 && h('ul', { class: 'findings' }, findings.map((it) =>
      h('li', {}, badge(it.severity, it.severity === 'error' ? 'bad' : 'warn'), ' ', it.message)))),
    table('Backends', COLUMNS, backends),
  ]
}

export function doctor({ signal }) {
  const place = later(() => post('/api/v1/system/doctor', undefined, { signal }), show, { signal })
  return [head('Doctor', { note: 'Asks each backend over a connection of its own, and checks the settings of the process that answers.', actions: button('Check again', () => place.again()) }), place]
}
