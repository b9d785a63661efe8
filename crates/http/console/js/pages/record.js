// One record: its data as a form that follows the schema, or as JSON; with what the server finds wrong
// shown where it is wrong.

import { call, get, path, remove } from '../api.js'
import { h, replace } from '../dom.js'
import { exact, instant, json, parsed, rounded } from '../format.js'
import { button, facts, field, head, later, panel, say, select, sure, unheld } from '../parts.js'

const home = (name) => `/console/collections/${encodeURIComponent(name)}`

/** The only kind of values beside null; nothing where there may be several. */
function kindOf(schema) {
  const kinds = [schema.type ?? []].flat().filter((one) => one !== 'null')
  return kinds.length === 1 ? kinds[0] : undefined
}

/** A control for a simple value, and how it is read; nothing for what is not simple. */
function simple(schema, value) {
  const kind = kindOf(schema)
  if (schema.enum) {
    const words = schema.enum.map((one) => [JSON.stringify(one), String(one)])
    const element = select([['', '–'], ...words], value === undefined ? '' : JSON.stringify(value))
    return { element, read: () => (element.value === '' ? undefined : JSON.parse(element.value)) }
  }
  if (kind === 'boolean') {
    const element = select([['', '–'], ['true', 'yes'], ['false', 'no']], String(value ?? ''))
    return { element, read: () => (element.value === '' ? undefined : element.value === 'true') }
  }
  if (kind === 'integer' || kind === 'number') {
    const element = h('input', { type: 'number', step: kind === 'integer' ? '1' : 'any', value: value ?? '' })
    const read = () => {
      if (element.validity.badInput) throw new Error('not a number')
      return element.value === '' ? undefined : Number(exact(element.value))
    }
    return { element, read }
  }
  if (kind === 'string' && (value === undefined || value === null || typeof value === 'string')) {
    const isLong = !schema.format && ((schema.maxLength ?? 0) > 200 || (value ?? '').length > 80 || (value ?? '').includes('\n'))
    const type = { email: 'email', date: 'date' }[schema.format] ?? 'text'
    const element = isLong ? h('textarea', { class: 'short', value: value ?? '' }) : h('input', { type, value: value ?? '' })
    return { element, read: () => (element.value === '' ? undefined : element.value) }
  }
  return null
}

function anything(value) {
  const element = h('textarea', { class: 'short', spellcheck: 'false', value: value === undefined ? '' : json(value) })
  return { element, read: () => (element.value.trim() === '' ? undefined : parsed(element.value)) }
}

/**
 * A control for one field, and how its value is read: what is not simple, or is not what the schema wants,
 * is edited as JSON. What nobody has changed is read as it was, also where the control shows less.
 */
function control(schema, value) {
  const isBlank = value === undefined || value === null || (value === '' && kindOf(schema) === 'string')
  const made = simple(schema, value)
  const fits = made && (isBlank || JSON.stringify(made.read()) === JSON.stringify(value))
  const { element, read } = fits ? made : anything(value)
  const shown = element.value
  const isSame = () => element.value === shown && !element.validity.badInput
  return { element, read: () => (isSame() ? value : read()) }
}

/** The members of an object that is edited as JSON. */
function membersOf(value) {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) throw new Error('not a JSON object')
  return Object.entries(value)
}

/** The form of a schema: one field for each property, and one for whatever else the data holds. */
function formOf(schema, data) {
  const properties = schema.properties ?? {}
  const required = schema.required ?? []
  const rest = Object.fromEntries(Object.entries(data).filter(([name]) => !Object.hasOwn(properties, name)))
  const parts = Object.entries(properties).map(([name, about]) => {
    const { element, read } = control(about, Object.hasOwn(data, name) ? data[name] : undefined)
    if (required.includes(name)) element.setAttribute('aria-required', 'true')
    const label = [about.title ?? name, required.includes(name) && h('span', { class: 'none' }, ' · required')]
    const members = () => [[name, read()]].filter(([, value]) => value !== undefined)
    return { name, members, field: field(label, element, { help: about.description, name }) }
  })
  const isOpen = schema.additionalProperties !== false || Object.keys(rest).length > 0
  if (isOpen) {
    const { element, read } = anything(Object.keys(rest).length ? rest : undefined)
    const help = 'A JSON object with what the schema does not name.'
    parts.push({ name: '', members: () => membersOf(read() ?? {}), field: field('Other fields', element, { help, name: '' }) })
  }
  const read = () => {
    const found = []
    let isWrong = false
    for (const part of parts) {
      part.field.say('')
      try {
        found.push(...part.members())
      } catch (error) {
        part.field.say(error.message)
        isWrong = true
      }
    }
    if (isWrong) throw new Error('some fields cannot be read')
    return Object.fromEntries(found)
  }
  return { element: h('div', {}, parts.map((part) => part.field)), read, fields: new Map(parts.map((part) => [part.name, part.field])) }
}

function jsonOf(data) {
  const area = h('textarea', { class: 'tall', spellcheck: 'false', value: json(data) })
  const only = field('Data', area, { bare: true })
  const read = () => {
    only.say('')
    try {
      return parsed(area.value)
    } catch (error) {
      only.say(error.message)
      throw error
    }
  }
  return { element: only, read, fields: new Map() }
}

/** Puts each fault beside its field; those without one stand above the form. */
function explain(error, view, place) {
  const rest = (error.errors ?? []).filter((one) => {
    const within = one.loc.slice(1)
    const at = view.fields.get(within[0])
    at?.say(within.length > 1 ? `${within.slice(1).join('.')}: ${one.message}` : one.message)
    return !at
  })
  const items = rest.map((one) => h('li', {}, h('code', {}, one.loc.slice(1).join('.') || 'data'), ` ${one.message}`))
  const words = error.errors?.length ? (items.length ? h('ul', {}, items) : null) : h('p', {}, error.message)
  replace(place, words && h('div', { class: 'wrongs', role: 'alert' }, words))
}

function editor(it, { stored, etag }, { go, signal }) {
  const isNew = !stored
  const data = stored?.data ?? {}
  const hasForm = Boolean(it.schema?.properties)
  let view = hasForm ? formOf(it.schema, data) : jsonOf(data)
  const id = field('Id', h('input', { type: 'text', pattern: '[A-Za-z0-9_\\-]{1,64}' }), { help: 'Letters, digits, - and _. Leave it empty to have one made.', bare: true })
  const wrongs = h('div', { 'aria-live': 'polite' })
  const place = h('div', {}, view.element)
  let isJson = !hasForm
  const swap = hasForm && button('As JSON', (self) => {
    let current
    try {
      current = view.read()
    } catch {
      return
    }
    isJson = !isJson
    view = isJson ? jsonOf(current) : formOf(it.schema, current)
    replace(place, view.element)
    replace(self, isJson ? 'As a form' : 'As JSON')
  }, { kind: 'little' })

  const save = async (match) => {
    replace(wrongs)
    let body
    try {
      body = view.read()
    } catch {
      return
    }
    try {
      const name = id.control.value.trim()
      const created = isNew && !name
      const headers = isNew ? (name ? { 'If-None-Match': '*' } : {}) : match ? { 'If-Match': etag } : {}
      const { data: saved } = await call(created ? 'POST' : 'PUT', path(created ? ['records', it.name] : ['records', it.name, isNew ? name : stored.id]), { body, headers, signal })
      say(isNew ? 'Record created.' : 'Saved.')
      go(`${home(it.name)}/records/${encodeURIComponent(saved.id)}`, { instead: isNew })
    } catch (error) {
      if (error.status === 412 && !isNew) {
        replace(wrongs, h('div', { class: 'banner', role: 'alert' }, 'Somebody else has changed this record meanwhile.',
          button('Reload', () => go(location.pathname, { instead: true }), { kind: 'little' }), button('Overwrite', () => save(false), { kind: 'danger little' })))
      } else explain(error, view, wrongs)
      form.querySelector('[aria-invalid]')?.focus()
    }
  }
  const form = h('form', { novalidate: true }, wrongs, isNew && panel('Id', {}, id),
    panel('Data', { actions: swap, note: it.schema ? 'Follows the schema of the collection.' : 'Any JSON object.' }, place),
    h('div', { class: 'bar-of-actions' }, h('button', { class: 'button primary', type: 'submit' }, isNew ? 'Create' : 'Save'), h('a', { class: 'button', href: home(it.name) }, 'Cancel')))
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    save(true)
  })
  return form
}

export function record(page) {
  const { params, signal, go } = page
  const load = async () => [
    await get(path(['collections', params.name]), { signal }),
    params.id ? await call('GET', path(['records', params.name, params.id]), { signal }) : null,
  ]
  const forget = (stored, etag) => button('Delete', async () => {
    if (!(await sure(`Delete ${stored.id}?`, 'This cannot be undone.', { action: 'Delete the record' }))) return
    await remove(path(['records', params.name, stored.id]), { headers: { 'If-Match': etag } })
    say('Record deleted.')
    go(home(params.name))
  }, { kind: 'danger' })
  const show = (it, found) => {
    const { data: stored, text = '' } = found ?? {}
    const etag = found?.headers.get('etag')
    return [
      head(stored?.id ?? 'New record', { up: { href: home(params.name), text: params.name }, actions: stored && forget(stored, etag) }),
      stored && panel('About', {}, facts([
        ['Version', stored.version], ['Created', instant(stored.created_at)], ['Changed', instant(stored.updated_at)],
        ['Created by', stored.created_by?.startsWith('usr_') ? h('a', { class: 'mono', href: `/console/users/${stored.created_by}` }, stored.created_by) : stored.created_by ?? 'anonymous'],
      ])),
      rounded(text) ? unheld(rounded(text), text) : editor(it, { stored, etag }, page),
    ]
  }
  return later(load, ([it, found]) => show(it, found), { signal, page: params.id ?? 'New record' })
}
