// Who did what.

import { get, path } from '../api.js'
import { h } from '../dom.js'
import { instant } from '../format.js'
import { empty, field, head, listing, status } from '../parts.js'

const person = (actor) => (actor.startsWith('usr_') ? h('a', { href: `/console/users/${encodeURIComponent(actor)}`, class: 'mono' }, actor) : actor)

/** What was changed, as hashes of what was kept before and is kept now, and the place in the chain. */
const hashes = (it) => [['before', it.before?.slice(0, 12)], ['after', it.after?.slice(0, 12)], ['link', it.link?.number]].filter(([, value]) => value)

const details = (it) => {
  const pairs = [...Object.entries(it.details ?? {}), ...hashes(it)]
  return pairs.length ? h('span', { class: 'mono small' }, pairs.map(([name, value]) => `${name}=${typeof value === 'object' ? JSON.stringify(value) : value}`).join('  ')) : null
}

const COLUMNS = [
  { title: 'When', cell: (it) => h('time', { datetime: it.time }, instant(it.time)), class: 'narrow' },
  { title: 'Action', cell: (it) => [h('span', {}, it.action), ' ', it.outcome !== 'succeeded' && status(it.outcome)], class: 'narrow' },
  { title: 'Actor', cell: (it) => person(it.actor), class: 'id' },
  { title: 'Target', class: 'id', cell: (it) => (it.target ? (it.target.startsWith('usr_') ? person(it.target) : h('span', { class: 'mono' }, it.target)) : h('span', { class: 'none' }, '–')) },
  { title: 'From', cell: (it) => it.address ?? '–', class: 'narrow' },
  { title: 'Details', class: 'wrap', cell: (it) => details(it) ?? h('span', { class: 'none' }, '–') },
]

const words = (it) => [it.action, it.actor, it.target, it.address, it.outcome, it.request_id, JSON.stringify(it.details ?? {})].join(' ').toLowerCase()

export function audit({ query, signal, go }) {
  const wanted = (query.q ?? '').toLowerCase()
  const search = h('input', { type: 'search', value: query.q ?? '', placeholder: 'action, user, target, address, request' })
  const form = h('form', { class: 'filters', role: 'search' }, field('Filter', search))
  form.firstChild.classList.add('wide')
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    go(search.value ? `/console/audit?q=${encodeURIComponent(search.value)}` : '/console/audit')
  })
  const load = (cursor) => get(path(['audit'], { limit: 100, cursor }), { signal })
  const none = empty('Nothing recorded yet', 'Sign-ins and changes by administrators are recorded here.')
  return [
    head('Audit log', { note: ['Sign-ins and changes by administrators, the latest first. ', h('code', {}, 'outrigger audit verify'), ' checks that no entry was changed or taken out.'] }),
    form,
    listing('Audit log', COLUMNS, load, { signal, none, keep: (it) => !wanted || words(it).includes(wanted) }),
  ]
}
