// What enqueues tasks at certain times.

import { get, path, post, put } from '../api.js'
import { h } from '../dom.js'
import { instant, json, time } from '../format.js'
import { badge, button, code, empty, head, listing, say, status } from '../parts.js'

const task = (id) => id && h('a', { class: 'mono small', href: `/console/tasks/${encodeURIComponent(id)}` }, id)

function columns(again) {
  const run = async (it) => {
    const begun = await post(path(['schedules', it.name, 'run']))
    say(`Enqueued ${begun?.id ?? 'a task'}.`)
    again()
  }
  const toggle = async (it) => {
    const { cron, time_zone, task: what, catch_up } = it
    await put(path(['schedules', it.name]), { cron, time_zone, task: what, catch_up, enabled: !it.enabled })
    say(it.enabled ? `${it.name} is paused.` : `${it.name} is running again.`)
    again()
  }
  return [
    { title: 'Schedule', cell: (it) => [h('span', {}, it.name), ' ', it.source === 'settings' && badge('from the settings')] },
    { title: 'When', cell: (it) => [h('code', {}, it.cron), h('p', { class: 'small' }, it.time_zone)], class: 'narrow' },
    { title: 'Task', cell: (it) => h('details', {}, h('summary', {}, it.task.kind), code(json(it.task), `Task of ${it.name}`)) },
    { title: 'Next runs', cell: (it) => (it.enabled ? h('ul', { class: 'small' }, it.next_runs.slice(0, 3).map((at) => h('li', {}, instant(at)))) : status('paused')), class: 'narrow' },
    { title: 'Last run', cell: (it) => [time(it.last_run_at), h('p', {}, task(it.last_task_id)), it.last_error && h('p', { class: 'wrong' }, it.last_error)] },
    {
      title: '', class: 'end-actions',
      cell: (it) => [
        button('Run now', () => run(it), { kind: 'little', label: `Run ${it.name} now` }),
        it.source !== 'settings' && button(it.enabled ? 'Pause' : 'Resume', () => toggle(it), { kind: 'little', label: `${it.enabled ? 'Pause' : 'Resume'} ${it.name}` }),
      ],
    },
  ]
}

export function schedules({ signal }) {
  const load = (cursor) => get(path(['schedules'], { limit: 100, cursor }), { signal })
  const none = empty('No schedules', 'Define them in outrigger.toml or with PUT /api/v1/schedules/{name}.')
  const place = listing('Schedules', columns(() => place.again()), load, { signal, none })
  return [head('Schedules', { note: 'Each tick enqueues one task, once in the whole deployment. Times are in your time zone.' }), place]
}
