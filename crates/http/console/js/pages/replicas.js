// The processes that are alive.

import { get } from '../api.js'
import { h } from '../dom.js'
import { bytes, number, percent, time } from '../format.js'
import { badge, empty, head, later, status, table } from '../parts.js'

const COLUMNS = [
  { title: 'Replica', cell: (it) => [h('span', { class: 'mono' }, it.name), ' ', it.answering && badge('this one', 'busy')] },
  { title: 'Role', cell: (it) => h('span', { class: 'badges' }, it.role.split('+').map((role) => badge(role))) },
  { title: 'Release', cell: (it) => it.version },
  { title: 'State', cell: (it) => [status(it.status), wrong(it)] },
  { title: 'Host', cell: (it) => h('span', { class: 'mono' }, `${it.host || '–'}:${it.pid}`), class: 'narrow' },
  { title: 'Started', cell: (it) => time(it.started_at), class: 'narrow' },
  { title: 'Last seen', cell: (it) => time(it.seen_at), class: 'narrow' },
  { title: 'Requests/s', cell: (it) => number(it.requests_per_s), class: 'right narrow' },
  { title: 'CPU', cell: (it) => percent(it.cpu), class: 'right narrow' },
  { title: 'Memory', cell: (it) => bytes(it.memory_bytes), class: 'right narrow' },
]

function wrong({ backends }) {
  const names = Object.entries(backends).filter(([, it]) => it.status !== 'ok').map(([name, it]) => `${name} ${it.status}`)
  return names.length > 0 && h('p', { class: 'small' }, names.join(', '))
}

const show = (page) => [
  !page.complete && h('div', { class: 'banner', role: 'status' }, 'The database cannot be asked about the other processes: this is the one that answers.'),
  page.items.length ? table('Replicas', COLUMNS, page.items) : empty('No processes yet'),
  releases(page.items),
]

function releases(items) {
  const versions = new Set(items.map((it) => it.version))
  return versions.size > 1 && h('p', { class: 'note' }, `Two releases run side by side: ${[...versions].join(' and ')}.`)
}

export function replicas({ signal, every }) {
  const place = later(() => get('/api/v1/replicas', { signal }), show, { signal })
  every(5000, async () => place.replaceChildren(...show(await get('/api/v1/replicas', { signal })).filter(Boolean)))
  return [head('Replicas', { note: 'The processes that share this database. One that crashes stays listed for 30 seconds.' }), place]
}
