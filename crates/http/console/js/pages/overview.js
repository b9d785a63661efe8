// What the deployment does now, and did in the last ten minutes.

import { get, health } from '../api.js'
import { chart } from '../chart.js'
import { h, replace } from '../dom.js'
import { duration, millis, number, percent } from '../format.js'
import { fault, head, status } from '../parts.js'

const EVERY = 5000

/** Where the chart of the pool stands among them. */
const POOL = 4

const charts = () => [
  chart({ title: 'Requests', note: 'per second', format: number, series: [{ name: 'requests', of: (p) => p.requests_per_s }] }),
  chart({
    title: 'Latency', note: 'median', format: millis, least: 1,
    series: [{ name: 'p50', of: (p) => p.p50_ms }, { name: 'p95', of: (p) => p.p95_ms }, { name: 'p99', of: (p) => p.p99_ms }],
  }),
  chart({ title: 'Errors', note: '5xx of all answers', format: percent, least: 0.01, series: [{ name: 'errors', of: (p) => p.error_ratio }] }),
  chart({ title: 'Cache hits', note: 'of all reads', format: percent, most: 1, series: [{ name: 'hits', of: (p) => p.cache_hit_ratio }] }),
  chart({
    title: 'Database connections', note: 'in use', format: number,
    series: [{ name: 'in use', of: (p) => p.connections_used }, { name: 'open', of: (p) => p.connections }],
  }),
  chart({ title: 'Queue', note: 'tasks waiting', format: number, series: [{ name: 'waiting', of: (p) => p.queued }, { name: 'dead letters', of: (p) => p.dead }] }),
  chart({ title: 'Oldest task', note: 'waiting for', format: (s) => duration(s ?? 0), least: 10, series: [{ name: 'age', of: (p) => p.oldest_s }] }),
  chart({
    title: 'Tasks', note: 'attempts per second', format: number,
    series: [{ name: 'all', of: (p) => p.tasks_per_s }, { name: 'failed', of: (p) => p.tasks_failed_per_s }],
  }),
]

const NAMES = { database: 'Database', database_readonly: 'Read replica', cache: 'Cache', limiter: 'Rate limits', queue: 'Queue', worker: 'Worker' }

const backends = (checks) => Object.entries(checks).map(([name, check]) =>
  h('div', { class: 'tile' },
    h('div', { class: 'tile-head' }, h('b', {}, NAMES[name] ?? name), status(check.status)),
    h('p', { class: 'small' }, check.detail ?? (check.latency_ms === null || check.latency_ms === undefined ? 'answers' : check.latency_ms < 0.005 ? 'in memory' : `answers in ${millis(check.latency_ms)}`))))

/** The last ten minutes, also where there are no points yet. */
function padded({ points, interval_s: interval }) {
  if (!points.length) return []
  const end = new Date(points.at(-1).at).getTime()
  const known = new Map(points.map((point) => [new Date(point.at).getTime(), point]))
  return Array.from({ length: 120 }, (_, place) => {
    const at = end - (119 - place) * interval * 1000
    return known.get(at) ?? { at: new Date(at).toISOString() }
  })
}

export function overview({ signal, every }) {
  const note = h('p', { class: 'note' }, 'The last ten minutes.')
  const tiles = h('div', { class: 'tiles' })
  const banner = h('div', { class: 'banner', role: 'status' })
  const all = charts()
  const pool = all[POOL]
  pool.hidden = true
  const wrong = h('div')
  let isKnown = false

  const look = async () => {
    const report = await health(signal)
    replace(tiles, backends(report.checks ?? {}))
    try {
      const latest = await get('/api/v1/replicas/overview', { signal })
      const points = padded(latest)
      all.forEach((one) => one.show(points))
      // SQLite and DynamoDB have no connections to count.
      pool.hidden = !points.some((point) => typeof point.connections === 'number')
      isKnown = true
      replace(wrong)
      const who = latest.replicas === 1 ? 'one process' : `${latest.replicas} processes`
      replace(note, `The last ten minutes of ${who}, updated every ${latest.interval_s} seconds.`)
      banner.className = 'banner'
      replace(banner, !latest.complete && 'The database cannot be asked about the other processes: these are the figures of the process that answers.')
      const last = points.at(-1)
      if (last?.dead && latest.complete) {
        replace(banner, h('span', {}, `${number(last.dead)} dead ${last.dead === 1 ? 'letter needs' : 'letters need'} attention.`),
          h('a', { href: '/console/tasks?status=dead' }, 'Show dead letters'))
      }
    } catch (error) {
      if (error.name === 'AbortError') return
      replace(wrong, !isKnown && fault(error, look))
      banner.className = 'banner bad'
      replace(banner, isKnown && `No figures right now: ${error.message}. Below is what was last known.`)
    }
  }
  look()
  every(EVERY, look)
  const top = head('Overview')
  top.firstChild.append(note)
  return [top, banner, tiles, wrong, h('div', { class: 'charts' }, all)]
}
