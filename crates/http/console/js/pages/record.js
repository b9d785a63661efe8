// One record: its data as a form that follows the schema, or as JSON; with what the server finds wrong
// shown where it is wrong.

import { call, get, path, remove } from '../api.js'
import { h, replace } from '../dom.js'
import { instant, json } from '../format.js'
import { button, facts, field, head, later, panel, say, select, sure } from '../parts.js'

const home = (name) => `/console/collections/${encodeURIComponent(name)}`
const kindOf = (schema) => (Array.isArray(schema.type) ? schema.type.find((one) => one !== 'null') : schema.type)

/** A control for one field, and how its value is read; what is not simple is edited as JSON. */
function control(schema, value) {
  const kind = kindOf(schema)
  if (schema.enum) {
    const words = schema.enum.map((one) => [JSON.stringify(one), String(one)])
    const element = select([['', '–'], ...words], value === undefined ? '' : JSON.stringify(value))
    return { element, read: () => (element.value === '' ? undefined : JSON.parse(element.value)) }
  }
  if (kind === 'boolean') {
    const element = select([['', '–'], ['true', 'yes'], ['false', 'no']], value === undefined || value === null ? '' : String(value))
    return { element, read: () => (element.value === '' ? undefined : element.value === 'true') }
  }
  if (kind === 'integer' || kind === 'number') {
    const element = h('input', { type: 'number', step: kind === 'integer' ? '1' : 'any', value: value ?? '' })
    return { element, read: () => (element.value === '' ? undefined : Number(element.value)) }
  }
  if (kind === 'string' && (value === undefined || value === null || typeof value === 'string')) {
    const isLong = !schema.format && ((schema.maxLength ?? 0) > 200 || (value ?? '').length > 80 || (value ?? '').includes('\n'))
    const type = { email: 'email', date: 'date' }[schema.format] ?? 'text'
    const element = isLong ? h('textarea', { class: 'short', value: value ?? '' }) : h('input', { type, value: value ?? '' })
    return { element, read: () => (element.value === '' ? undefined : element.value) }
  }
  const element = h('textarea', { class: 'short', spellcheck: 'false', value: value === undefined ? '' : json(value) })
  return { element, read: () => (element.value.trim() === '' ? undefined : JSON.parse(element.value)) }
}

/** The form of a schema: one field for each property, and one for whatever else the data holds. */
function formOf(schema, data) {
  const properties = schema.properties ?? {}
  const required = schema.required ?? []
  const rest = Object.fromEntries(Object.entries(data).filter(([name]) => !(name in properties)))
  const parts = Object.entries(properties).map(([name, about]) => {
    const { element, read } = control(about, data[name])
    if (required.includes(name)) element.setAttribute('aria-required', 'true')
    const label = [about.title ?? name, required.includes(name) && h('span', { class: 'none' }, ' · required')]
    return { name, read, field: field(label, element, { help: about.description, name }) }
  })
  const isOpen = schema.additionalProperties !== false || Object.keys(rest).length > 0
  const more = isOpen && h('textarea', { class: 'short', spellcheck: 'false', value: Object.keys(rest).length ? json(rest) : '' })
  if (isOpen) {
    parts.push({
      name: '', field: field('Other fields', more, { help: 'A JSON object with what the schema does not name.', name: '' }),
      read: () => (more.value.trim() ? JSON.parse(more.value) : {}),
    })
  }
  const read = () => {
    const found = {}
    let isWrong = false
    for (const part of parts) {
      part.field.say('')
      try {
        const value = part.read()
        if (part.name === '') Object.assign(found, value)
        else if (value !== undefined) found[part.name] = value
      } catch (error) {
        part.field.say(`not JSON: ${error.message}`)
        isWrong = true
      }
    }
    if (isWrong) throw new Error('some fields are not JSON')
    return found
  }
  return { element: h('div', {}, parts.map((part) => part.field)), read, fields: new Map(parts.map((part) => [part.name, part.field])) }
}

function jsonOf(data) {
  const area = h('textarea', { class: 'tall', spellcheck: 'false', value: json(data) })
  const only = field('Data', area, { bare: true })
  const read = () => {
    only.say('')
    try {
      return JSON.parse(area.value)
    } catch (error) {
      only.say(`not JSON: ${error.message}`)
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
  const show = (it, stored, etag) => [
    head(stored?.id ?? 'New record', { up: { href: home(params.name), text: params.name }, actions: stored && forget(stored, etag) }),
    stored && panel('About', {}, facts([
      ['Version', stored.version], ['Created', instant(stored.created_at)], ['Changed', instant(stored.updated_at)],
      ['Created by', stored.created_by?.startsWith('usr_') ? h('a', { class: 'mono', href: `/console/users/${stored.created_by}` }, stored.created_by) : stored.created_by ?? 'anonymous'],
    ])),
    editor(it, { stored, etag }, page),
  ]
  return later(load, ([it, found]) => show(it, found?.data, found?.headers.get('etag')), { signal, page: params.id ?? 'New record' })
}
