// The settings in force, beside the manual.

import { get } from '../api.js'
import { h, replace } from '../dom.js'
import { empty, field, head, later, panel } from '../parts.js'

/** `[section]`, `key = value` and the comments before each, in the form that the server writes them. */
function read(toml) {
  const found = new Map()
  let section = ''
  let words = []
  for (const line of toml.split('\n')) {
    const title = line.match(/^\[(.+)\]$/)
    const pair = line.match(/^([A-Za-z0-9_-]+) = (.*)$/)
    if (line.startsWith('#')) words.push(line.replace(/^# ?/, ''))
    else if (title) {
      section = title[1]
      words = []
    } else if (pair) {
      found.set(`${section}.${pair[1]}`, { section, key: pair[1], value: pair[2], help: words.join(' ') })
      words = []
    } else words = []
  }
  return found
}

const one = (it, known) => {
  const isSet = known && known.value.replace(/\s/g, '') !== it.value.replace(/\s/g, '')
  return h('div', { class: isSet ? 'setting changed' : 'setting' },
    h('p', { class: 'mono setting-name' }, it.key),
    h('p', { class: 'mono' }, it.value),
    known?.help && h('p', { class: 'help' }, known.help))
}

function show(body) {
  const defaults = read(body.defaults)
  const all = [...read(body.in_force).values()]
  const search = h('input', { type: 'search', placeholder: 'section, key or value' })
  const only = h('input', { type: 'checkbox' })
  const place = h('div', { 'aria-live': 'polite' })
  const draw = () => {
    const wanted = search.value.toLowerCase()
    const kept = all.filter((it) => {
      const known = defaults.get(`${it.section}.${it.key}`)
      const isSet = known && known.value.replace(/\s/g, '') !== it.value.replace(/\s/g, '')
      return (!only.checked || isSet) && `${it.section}.${it.key} ${it.value} ${known?.help ?? ''}`.toLowerCase().includes(wanted)
    })
    const sections = [...new Set(kept.map((it) => it.section))]
    replace(place, sections.length
      ? sections.map((name) => panel(name, {}, kept.filter((it) => it.section === name).map((it) => one(it, defaults.get(`${name}.${it.key}`)))))
      : empty('No settings found'))
  }
  search.addEventListener('input', draw)
  only.addEventListener('change', draw)
  draw()
  const find = field('Filter', search)
  find.classList.add('wide')
  return [h('div', { class: 'filters' }, find, field('Only changed settings', only)), place]
}

export function settings({ signal }) {
  return [
    head('Settings', { note: 'Of the process that answers, without secrets. Change them where it is started.' }),
    later(() => get('/api/v1/system/settings', { signal }), show, { signal, lines: 8 }),
  ]
}
