// Collections: all of them, the records of one, and how one is defined.

import { call, get, path, put, remove } from '../api.js'
import { h, replace } from '../dom.js'
import { brief, json, parsed, rounded, time } from '../format.js'
import { badge, button, empty, field, head, later, linkButton, listing, panel, say, select, status, sure, unheld } from '../parts.js'

const RIGHTS = ['list', 'read', 'create', 'update', 'delete']
const home = (name) => `/console/collections/${encodeURIComponent(name)}`

const indexing = (it) => it.indexing && status(it.indexing.state)

const COLUMNS = [
  { title: 'Collection', cell: (it) => h('a', { href: home(it.name) }, it.name) },
  { title: 'Schema', cell: (it) => (it.schema ? badge('schema', 'busy') : h('span', { class: 'none' }, 'any object')) },
  { title: 'Indexes', cell: (it) => h('span', { class: 'badges' }, it.indexes.map((name) => badge(name)), it.unique.map((name) => badge(`${name} unique`)), indexing(it)) },
  { title: 'Who may read', cell: (it) => it.rules.read },
  { title: 'Who may create', cell: (it) => it.rules.create },
  { title: 'Changed', cell: (it) => time(it.updated_at), class: 'narrow' },
]

export function collections({ signal }) {
  const load = (cursor) => get(path(['collections'], { limit: 100, cursor }), { signal })
  const create = () => linkButton('New collection', '/console/new-collection', { kind: 'primary', icon: 'plus' })
  const none = empty('No collections yet', 'A collection is a named set of records with a schema, indexes and rules of who may do what.', create())
  return [
    head('Collections', { note: 'The data of your applications.', actions: create() }),
    listing('Collections', COLUMNS, load, { signal, none }),
  ]
}

/* The records of one collection */

const OPERATORS = [['', '='], ['gt', '>'], ['gte', '≥'], ['lt', '<'], ['lte', '≤'], ['prefix', 'begins with']]

/** The fields of declared indexes: only by these can records be filtered and sorted. */
const fields = (it) => [...new Set([...it.indexes, ...it.unique].flatMap((name) => name.split(',')))]

function filters(it, query, go) {
  const known = fields(it)
  const [name, word] = Object.keys(query).filter((key) => key !== 'sort').map((key) => key.match(/^([^[]+)(?:\[(\w+)\])?$/)).filter(Boolean).map((m) => [m[1], m[2] ?? ''])[0] ?? ['', '']
  const value = query[word ? `${name}[${word}]` : name] ?? ''
  const which = select([['', 'all records'], ...known.map((one) => [one, one])], name)
  const how = select(OPERATORS, word)
  const what = h('input', { type: 'search', value, placeholder: 'value' })
  const sorts = [['', 'by id'], ...['created_at', ...it.indexes].flatMap((one) => known.includes(one.split(',')[0]) ? [[one, `${one} ↑`], [one.split(',').map((part) => `-${part}`).join(','), `${one} ↓`]] : [])]
  const order = select(sorts, query.sort ?? '')
  const form = h('form', { class: 'filters', role: 'search' }, field('Where', which), field('is', how), field('Value', what), field('Order', order),
    h('button', { class: 'button', type: 'submit' }, 'Filter'))
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    const pairs = {}
    if (which.value) pairs[how.value ? `${which.value}[${how.value}]` : which.value] = what.value
    if (order.value) pairs.sort = order.value
    go(`${home(it.name)}?${new URLSearchParams(pairs)}`)
  })
  return known.length ? form : null
}

/** A few fields of the schema, or of the records that are there. */
function columns(it, sample) {
  const named = Object.keys(it.schema?.properties ?? {})
  const names = (named.length ? named : [...new Set(sample.flatMap((one) => Object.keys(one.data ?? {})))]).slice(0, 5)
  return [
    { title: 'Record', cell: (one) => h('a', { class: 'mono', href: `${home(it.name)}/records/${encodeURIComponent(one.id)}` }, one.id), class: 'id' },
    ...names.map((name) => ({ title: name, cell: (one) => brief(one.data?.[name]) })),
    { title: 'Version', cell: (one) => one.version, class: 'right' },
    { title: 'Changed', cell: (one) => time(one.updated_at), class: 'narrow' },
  ]
}

function records(it, query, signal) {
  const load = (cursor) => get(path(['records', it.name], { ...query, limit: 50, cursor }), { signal })
  const none = Object.keys(query).length
    ? empty('No records found', 'None fits the filter.', linkButton('All records', home(it.name)))
    : empty('No records yet', 'Applications create them over the API; you can write one here.', linkButton('New record', `${home(it.name)}/new`, { kind: 'primary', icon: 'plus' }))
  return later(() => load(), (first) => {
    let page = first
    const once = (cursor) => {
      const known = cursor ? load(cursor) : page ?? load()
      page = null
      return Promise.resolve(known)
    }
    return listing('Records', columns(it, first.items), once, { signal, none })
  }, { signal })
}

export function collection({ params, query, signal, go }) {
  return later(() => get(path(['collections', params.name]), { signal }), (it) => [
    head(it.name, {
      up: { href: '/console/collections', text: 'Collections' },
      note: `Read by ${it.rules.read}, created by ${it.rules.create}, cached for ${it.cache_ttl_s} s.`,
      actions: [linkButton('Definition', `${home(it.name)}/definition`), linkButton('New record', `${home(it.name)}/new`, { kind: 'primary', icon: 'plus' })],
    }),
    it.indexing && h('div', { class: it.indexing.error ? 'banner bad' : 'banner' }, it.indexing.error ?? `Indexes are being built (${it.indexing.building.join(', ')}): ${it.indexing.records_done} records are done.`),
    filters(it, query, go), records(it, query, signal),
  ], { signal, page: params.name })
}

/* How a collection is defined */

const lines = (list) => (list ?? []).join('\n')
const words = (text) => text.split('\n').map((one) => one.trim()).filter(Boolean)

function editor(it, { go, signal }) {
  const isNew = !it
  const name = field('Name', h('input', { type: 'text', value: it?.name ?? '', required: true, pattern: '[A-Za-z0-9_\\-]{1,64}', disabled: !isNew }), { help: 'Letters, digits, - and _.', name: 'name', bare: true })
  const schema = field('Schema', h('textarea', { class: 'tall', spellcheck: 'false', value: it?.schema ? json(it.schema) : '' }), { help: 'JSON Schema of the data of a record. Empty: any object.', name: 'schema', bare: true })
  const indexes = field('Indexes', h('textarea', { class: 'short', spellcheck: 'false', value: lines(it?.indexes) }), { help: 'One on each line: a field, or several with commas. Records can be filtered and sorted by these.', name: 'indexes' })
  const unique = field('Unique', h('textarea', { class: 'short', spellcheck: 'false', value: lines(it?.unique) }), { help: 'No two records have the same value here.', name: 'unique' })
  const ttl = field('Cached for, in seconds', h('input', { type: 'number', min: 0, max: 86400, value: it?.cache_ttl_s ?? 60 }), { name: 'cache_ttl_s' })
  const rules = RIGHTS.map((right) => field(`May ${right}`, h('input', { type: 'text', list: 'rules', value: it?.rules?.[right] ?? 'admin' }), { name: right }))
  const triggers = field('Triggers', h('textarea', { class: 'short', spellcheck: 'false', value: it?.triggers?.length ? json(it.triggers) : '' }), { help: 'JSON: tasks that follow from changes of records.', name: 'triggers', bare: true })
  const all = [name, schema, indexes, unique, ttl, ...rules, triggers]
  const wrongs = h('div')
  const form = h('form', {},
    h('datalist', { id: 'rules' }, ['admin', 'owner', 'user', 'public', 'role:editor'].map((value) => h('option', { value }))),
    wrongs, isNew && panel('Name', {}, name),
    h('div', { class: 'columns' }, panel('Schema', {}, schema),
      h('div', {}, panel('Rules', { note: 'public, user, owner, role:NAME or admin' }, h('div', { class: 'fields' }, rules)),
        panel('Indexes and cache', {}, indexes, unique, ttl), panel('Triggers', {}, triggers))),
    h('div', { class: 'bar-of-actions' }, h('button', { class: 'button primary', type: 'submit' }, isNew ? 'Create' : 'Save'),
      h('a', { class: 'button', href: isNew ? '/console/collections' : home(it.name) }, 'Cancel')))

  const valueOf = (one) => {
    const text = one.control.value.trim()
    if (!text) return null
    try {
      return parsed(text)
    } catch (error) {
      one.say(error.message)
      one.control.focus()
      throw error
    }
  }
  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    all.forEach((one) => one.say(''))
    replace(wrongs)
    let body
    try {
      body = {
        schema: valueOf(schema), indexes: words(indexes.control.value), unique: words(unique.control.value),
        cache_ttl_s: Number(ttl.control.value), rules: Object.fromEntries(RIGHTS.map((right, at) => [right, rules[at].control.value.trim()])),
        triggers: valueOf(triggers) ?? [],
      }
    } catch {
      return
    }
    try {
      await put(path(['collections', name.control.value]), body, { signal })
      say(isNew ? 'Collection created.' : 'Saved.')
      go(home(name.control.value))
    } catch (error) {
      const rest = error.errors?.filter((one) => {
        const place = all.find((known) => one.loc.includes(known.dataset.name))
        place?.say(one.message)
        return !place
      }) ?? []
      if (rest.length || !error.errors?.length) replace(wrongs, h('p', { class: 'wrongs', role: 'alert' }, rest.map((one) => `${one.loc.slice(1).join('.')}: ${one.message}`).join('; ') || error.message))
      form.querySelector('[aria-invalid]')?.focus()
    }
  })
  return form
}

export function definition(page) {
  const { params, signal, go } = page
  if (!params.name) return [head('New collection', { up: { href: '/console/collections', text: 'Collections' }, note: 'Until its rules say otherwise, only administrators may use it.' }), editor(null, page)]
  const forget = (it) => button('Delete', async () => {
    if (!(await sure(`Delete ${it.name}?`, 'All of its records are deleted with it. This cannot be undone.', { action: 'Delete it with all records' }))) return
    await remove(path(['collections', it.name]))
    say('Collection deleted.')
    go('/console/collections')
  }, { kind: 'danger' })
  return later(() => call('GET', path(['collections', params.name]), { signal }), ({ data: it, text }) => [
    head(`Definition of ${it.name}`, { up: { href: home(it.name), text: it.name }, note: 'Records that are there are kept; when indexes change they are built in the background.', actions: forget(it) }),
    rounded(text) ? unheld(rounded(text), text) : editor(it, page),
  ], { signal, page: params.name })
}
