// Tasks of all queues, and the queues themselves.

import { get, path, post } from '../api.js'
import { h, replace } from '../dom.js'
import { duration, number, time } from '../format.js'
import { badge, button, empty, field, head, listing, say, status, sure, tabs } from '../parts.js'

const STATUSES = [['', 'All'], ['queued', 'Queued'], ['running', 'Running'], ['scheduled', 'Scheduled'], ['succeeded', 'Succeeded'], ['failed', 'Failed'], ['cancelled', 'Cancelled'], ['dead', 'Dead letters']]
const NONE = {
  '': ['No tasks yet', 'Tasks are enqueued over HTTP, by schedules, by triggers and by Outrigger itself.'],
  dead: ['No dead letters', 'Tasks that have used up their attempts end here.'],
}

const address = (query, change) => {
  const pairs = Object.entries({ ...query, ...change }).filter(([, value]) => value)
  const text = new URLSearchParams(pairs).toString()
  return text ? `/console/tasks?${text}` : '/console/tasks'
}

const COLUMNS = [
  { title: 'Task', cell: (it) => h('a', { href: `/console/tasks/${encodeURIComponent(it.id)}`, class: 'mono' }, it.id), class: 'id' },
  { title: 'Kind', cell: (it) => it.kind, class: 'narrow' },
  { title: 'Queue', cell: (it) => it.queue, class: 'narrow' },
  { title: 'Status', cell: (it) => status(it.status) },
  { title: 'Attempts', cell: (it) => `${it.attempts} of ${it.max_attempts}`, class: 'right narrow' },
  { title: 'Enqueued', cell: (it) => time(it.created_at), class: 'narrow' },
  { title: 'Finished', cell: (it) => time(it.finished_at), class: 'narrow' },
  { title: 'Error', cell: (it) => (it.error ? h('span', { class: 'small' }, it.error.message) : h('span', { class: 'none' }, '–')) },
]

function queueTile(it, query, look) {
  const toggle = button(it.paused ? 'Resume' : 'Pause', async () => {
    await post(path(['queues', it.name, it.paused ? 'resume' : 'pause']))
    say(it.paused ? `${it.name} is running again.` : `${it.name} is paused: its tasks wait.`)
    await look()
  }, { kind: 'little', label: `${it.paused ? 'Resume' : 'Pause'} the queue ${it.name}` })
  const count = (words, value) => h('span', {}, h('b', {}, number(value)), ` ${words}`)
  return h('div', { class: 'tile' },
    h('div', { class: 'tile-head' }, h('b', {}, h('a', { href: address(query, { queue: it.name }) }, it.name)), it.paused ? badge('paused', 'warn') : null, toggle),
    h('p', { class: 'counts small' }, count('waiting', it.queued), count('running', it.running), count('later', it.scheduled), count('dead', it.dead)),
    h('p', { class: 'small' }, it.oldest_s === null ? 'Nothing is waiting' : `The oldest has waited ${duration(it.oldest_s)}`))
}

function queues({ query, signal, every }) {
  const place = h('div', { class: 'tiles' })
  const look = async () => {
    try {
      const { items } = await get('/api/v1/queues', { signal })
      replace(place, items.map((it) => queueTile(it, query, look)))
    } catch (error) {
      if (error.name !== 'AbortError') replace(place, h('p', { class: 'note' }, `The queues are not available right now: ${error.message}`))
    }
  }
  look()
  // Not under the hands of somebody who is about to press a button there.
  every(5000, () => (place.contains(document.activeElement) ? null : look()))
  return place
}

async function retryAll({ kind, queue }, place) {
  const which = [kind && `of the kind ${kind}`, queue && `in the queue ${queue}`].filter(Boolean).join(' ')
  if (!(await sure('Retry all dead letters?', `Every dead letter ${which} gets all of its attempts again.`, { action: 'Retry them', kind: 'primary' }))) return
  let begun = 0
  let cursor
  do {
    const answer = await post('/api/v1/tasks/retry', { kind: kind || null, queue: queue || null, limit: 100, cursor })
    begun += answer.retried
    cursor = answer.next_cursor ?? undefined
  } while (cursor)
  say(`${number(begun)} ${begun === 1 ? 'task is' : 'tasks are'} queued again.`)
  place.again()
}

export function tasks(page) {
  const { query, signal, go } = page
  const current = query.status ?? ''
  const kind = h('input', { type: 'search', value: query.kind ?? '', placeholder: 'email.send' })
  const queue = h('input', { type: 'text', value: query.queue ?? '', placeholder: 'default' })
  const id = h('input', { type: 'text', placeholder: 'tsk_…' })
  const form = h('form', { class: 'filters', role: 'search' }, field('Kind', kind), field('Queue', queue), field('Task', id),
    h('button', { class: 'button', type: 'submit' }, 'Find'))
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    if (id.value.trim()) go(`/console/tasks/${encodeURIComponent(id.value.trim())}`)
    else go(address(query, { kind: kind.value.trim(), queue: queue.value.trim() }))
  })
  const load = (cursor) => get(path(['tasks'], { limit: 50, cursor, status: current, kind: query.kind, queue: query.queue }), { signal })
  const place = listing('Tasks', COLUMNS, load, { signal, none: empty(...(NONE[current] ?? ['No tasks found', 'None has this status and fits the filter.'])) })
  const again = current === 'dead' && button('Retry all', () => retryAll(query, place))
  return [
    head('Tasks', { note: 'Background work, the newest first.', actions: [again, button('Refresh', () => place.again())] }),
    queues(page), form,
    tabs('Status', STATUSES.map(([word, text]) => [word, text, address(query, { status: word })]), current),
    place,
  ]
}
