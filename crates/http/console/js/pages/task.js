// One task: what it was given, how it went, and what can be done about it.

import { get, path, post } from '../api.js'
import { h, replace } from '../dom.js'
import { duration, instant, json } from '../format.js'
import { button, code, facts, head, later, panel, say, status, sure, table } from '../parts.js'

const OPEN = ['scheduled', 'queued', 'running']

const ATTEMPTS = [
  { title: 'Attempt', cell: (it) => `#${it.number}` },
  { title: 'Started', cell: (it) => instant(it.started_at), class: 'narrow' },
  { title: 'Took', cell: (it) => duration((new Date(it.ended_at) - new Date(it.started_at)) / 1000), class: 'narrow' },
  { title: 'Error', cell: (it) => [h('span', { class: 'mono small' }, it.error.code), ' ', it.error.message] },
  { title: 'Worker', cell: (it) => h('span', { class: 'mono small' }, it.worker) },
]

const value = (it) => (it === null || it === undefined ? h('p', { class: 'none' }, 'nothing') : code(json(it)))

function about(it) {
  return facts([
    ['Kind', it.kind], ['Queue', h('a', { href: `/console/tasks?queue=${encodeURIComponent(it.queue)}` }, it.queue)],
    ['Priority', it.priority], ['Attempts', `${it.attempts} of ${it.max_attempts}`],
    ['Enqueued', instant(it.created_at)],
    ['By', it.created_by?.startsWith('usr_') ? h('a', { class: 'mono', href: `/console/users/${it.created_by}` }, it.created_by) : it.created_by ?? 'Outrigger'],
    ['Due', instant(it.run_at)], ['Started', it.started_at && instant(it.started_at)], ['Finished', it.finished_at && instant(it.finished_at)],
    ['Trace', it.trace && h('span', { class: 'mono small' }, it.trace)],
  ])
}

function show(it, again) {
  const act = (verb, words) => async () => {
    await post(path(['tasks', it.id, verb]))
    say(words)
    await again()
  }
  const cancel = button('Cancel', async () => {
    if (await sure('Cancel this task?', it.status === 'running' ? 'Its job is told to stop; what it has done stays done.' : 'It will not run.', { action: 'Cancel the task' })) await act('cancel', 'The task is cancelled.')()
  }, { kind: 'danger' })
  const actions = OPEN.includes(it.status) ? cancel : it.status !== 'succeeded' && button('Retry', act('retry', 'The task is queued again.'), { kind: 'primary' })
  return [
    head(it.id, { up: { href: it.status === 'dead' ? '/console/tasks?status=dead' : '/console/tasks', text: it.status === 'dead' ? 'Dead letters' : 'Tasks' }, note: status(it.status), actions }),
    it.error && h('div', { class: 'banner bad' }, h('code', {}, it.error.code), it.error.message),
    panel('About', {}, about(it)),
    h('div', { class: 'columns' },
      panel('Payload', {}, it.payload === null ? h('p', { class: 'none' }, 'Encrypted: only the worker reads it.') : code(json(it.payload), 'Payload')),
      panel('Result', {}, it.progress !== null && [h('h3', {}, 'Progress'), value(it.progress)], value(it.result))),
    panel('Failed attempts', { note: it.history.length ? 'At most the last ten are kept.' : '' },
      it.history.length ? table('Attempts', ATTEMPTS, it.history) : h('p', { class: 'none' }, 'No attempt has failed.')),
  ]
}

export function task({ params, signal, every }) {
  const place = h('div')
  let shown = ''
  let status = ''
  const look = async () => {
    const it = await get(path(['tasks', params.id]), { signal })
    status = it.status
    const text = json(it)
    if (text !== shown) replace(place, show(it, look))
    shown = text
  }
  const first = later(look, () => place, { signal, page: 'Task' })
  every(2000, () => (OPEN.includes(status) ? look() : null))
  return first
}
