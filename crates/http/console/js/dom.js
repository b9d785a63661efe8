// Makes elements. Text becomes text nodes and nothing else, so whatever a record holds stays text.

const SVG = 'http://www.w3.org/2000/svg'
const PROPERTIES = new Set(['value', 'checked', 'selected', 'disabled', 'open', 'indeterminate'])

function fill(element, props, children) {
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === undefined || value === null || value === false) continue
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value)
    else if (name === 'data') Object.assign(element.dataset, value)
    else if (PROPERTIES.has(name) && !(element instanceof SVGElement)) element[name] = value
    else element.setAttribute(name, value === true ? '' : value)
  }
  put(element, children)
  return element
}

function put(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === undefined || child === null || child === false || child === '') continue
    element.append(child instanceof Node ? child : document.createTextNode(String(child)))
  }
}

/** An element of HTML: `h('p', {class: 'x', onclick: f}, 'text', child)`. */
export const h = (tag, props, ...children) => fill(document.createElement(tag), props, children)

/** An element of SVG. */
export const s = (tag, props, ...children) => fill(document.createElementNS(SVG, tag), props, children)

/** Puts these in the place of all that an element holds. */
export function replace(element, ...children) {
  element.replaceChildren()
  put(element, children)
  return element
}

let last = 0
/** An id that no other element has. */
export const fresh = (prefix) => `${prefix}-${++last}`

const ICONS = {
  menu: 'M3 6h18M3 12h18M3 18h18',
  close: 'M6 6l12 12M18 6L6 18',
  plus: 'M12 5v14M5 12h14',
  back: 'M15 5l-7 7 7 7',
  overview: 'M3 17l5-6 4 4 4-7 5 5',
  replicas: 'M4 5h16v6H4zM4 13h16v6H4zM8 8h.01M8 16h.01',
  collections: 'M4 6c0-3 16-3 16 0v12c0 3-16 3-16 0zM4 6c0 3 16 3 16 0M4 12c0 3 16 3 16 0',
  users: 'M12 12a4 4 0 100-8 4 4 0 000 8zM4 21c0-5 4-7 8-7s8 2 8 7',
  tasks: 'M4 6l1.500 1.500L8 5M4 12l1.500 1.500L8 11M4 18l1.500 1.500L8 17M12 6h8M12 12h8M12 18h8',
  schedules: 'M12 21a9 9 0 100-18 9 9 0 000 18zM12 7v5l3.500 2',
  templates: 'M3 6h18v12H3zM3 7l9 7 9-7',
  audit: 'M6 3h9l4 4v14H6zM15 3v4h4M9 12h7M9 16h7',
  settings: 'M4 7h9M17 7h3M15 5v4M4 17h3M11 17h9M9 15v4M4 12h12M20 12h0',
  doctor: 'M3 12h4l2-6 4 12 2-6h6',
  light: 'M12 16a4 4 0 100-8 4 4 0 000 8zM12 3v2M12 19v2M3 12h2M19 12h2M5.600 5.600L7 7M17 17l1.400 1.400M5.600 18.400L7 17M17 7l1.400-1.400',
  out: 'M14 4h5v16h-5M10 8l-4 4 4 4M6 12h9',
}

/** A drawing beside words, or alone in a button that has a label. */
export const icon = (name) =>
  s('svg', { class: 'icon', viewBox: '0 0 24 24', 'aria-hidden': 'true' }, s('path', { d: ICONS[name] }))
