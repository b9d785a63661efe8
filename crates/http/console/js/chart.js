// Small charts of the last minutes: lines over time, the same scale of time in each.

import { h, replace, s } from './dom.js'
import { clock } from './format.js'

const WIDTH = 600
const HEIGHT = 120

/** The scale goes to a round number above all values. */
function ceiling(values, least) {
  const most = Math.max(least, ...values.filter((value) => value !== null))
  const unit = 10 ** Math.floor(Math.log10(most))
  return [1, 1.5, 2, 3, 4, 5, 8, 10].map((step) => step * unit).find((step) => step >= most * 0.999) ?? most
}

/** The parts of a line between gaps. */
function runs(values) {
  const found = []
  let run = []
  values.forEach((value, place) => {
    if (value === null || value === undefined) {
      if (run.length) found.push(run)
      run = []
    } else run.push([place, value])
  })
  if (run.length) found.push(run)
  return found
}

/**
 * A chart that can be given other points: `{title, series: [{name, of(point)}], format, least, most}`.
 * The first series is the one whose value stands in large letters.
 */
export function chart({ title, series, format, least = 1, most, note }) {
  const now = h('p', { class: 'chart-now' })
  const legend = h('ul', { class: 'chart-legend' })
  const drawing = s('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', class: 'chart-lines', role: 'img' })
  const top = h('span', { class: 'chart-top', 'aria-hidden': 'true' })
  const when = h('span', { class: 'chart-when', 'aria-hidden': 'true' }, '10 min')
  const figure = h('figure', { class: 'chart' },
    h('figcaption', {}, h('span', { class: 'chart-title' }, title), note && h('span', { class: 'small' }, note)),
    now, h('div', { class: 'chart-area' }, drawing, top), h('div', { class: 'chart-foot', 'aria-hidden': 'true' }, when, h('span', {}, 'now')), legend)
  let points = []
  let chosen = null

  const values = (place) => {
    const point = points[place]
    const of = series.map(({ of: read }) => (point ? read(point) ?? null : null))
    replace(now, format(of[0]))
    replace(when, chosen === null || !point ? '10 min' : clock(point.at))
    figure.classList.toggle('chosen', chosen !== null)
    if (series.length > 1) {
      replace(legend, series.map(({ name }, at) => h('li', { class: `line-${at}` }, name, ' ', h('b', {}, format(of[at])))))
    }
  }

  const draw = () => {
    const all = series.map(({ of }) => points.map((point) => of(point) ?? null))
    const high = most ?? ceiling(all.flat(), least)
    const x = (place) => (points.length < 2 ? WIDTH : (place / (points.length - 1)) * WIDTH)
    const y = (value) => HEIGHT - 2 - (Math.min(value, high) / high) * (HEIGHT - 8)
    const spot = ([place, value]) => `${x(place).toFixed(1)} ${y(value).toFixed(1)}`
    const lines = all.flatMap((line, at) => runs(line).flatMap((run) => {
      const way = `M${run.map(spot).join('L')}`
      const [first, last] = [run[0][0], run[run.length - 1][0]]
      const area = at === 0 && s('path', { class: 'chart-fill', d: `${way}L${x(last)} ${HEIGHT}L${x(first)} ${HEIGHT}Z` })
      return [area, s('path', { class: `chart-line line-${at}`, d: run.length > 1 ? way : `${way}h0.1` })]
    }))
    const cross = chosen !== null && s('path', { class: 'chart-cross', d: `M${x(chosen)} 0V${HEIGHT}` })
    replace(drawing, s('path', { class: 'chart-grid', d: `M0 ${y(high)}H${WIDTH}M0 ${y(high / 2)}H${WIDTH}` }), lines.reverse(), cross)
    replace(top, format(high))
    values(chosen ?? points.length - 1)
    const highest = Math.max(...all[0].filter((value) => value !== null), 0)
    drawing.setAttribute('aria-label', `${title}: now ${now.textContent}, at most ${format(highest)} in the last ten minutes`)
  }

  drawing.addEventListener('pointermove', (event) => {
    const box = drawing.getBoundingClientRect()
    const place = Math.round(((event.clientX - box.left) / box.width) * (points.length - 1))
    chosen = Math.min(Math.max(place, 0), points.length - 1)
    draw()
  })
  drawing.addEventListener('pointerleave', () => {
    chosen = null
    draw()
  })

  figure.show = (latest) => {
    points = latest
    draw()
  }
  draw()
  return figure
}
