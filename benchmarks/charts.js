import { digits } from './statistics.js'

const LABELS = 215
const BARS = 150
const VALUES = 70
const LINE = 18
const TITLE = 34
const GAP = 24
const COLUMN = LABELS + BARS + VALUES

const STYLE = `
  text { font: 12px system-ui, sans-serif; fill: #1f2328 }
  .title { font-weight: 600; font-size: 13px }
  .label { text-anchor: end }
  .ours { fill: #0969da } .baseline { fill: #59636e } .other { fill: #afb8c1 }
  .line { fill: none; stroke-width: 2 } .line.ours { stroke: #0969da } .line.baseline { stroke: #59636e } .line.other { stroke: #afb8c1 }
  .spread { stroke: #1f2328 } .axis { stroke: #d1d9e0 }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc } .ours { fill: #4493f8 } .baseline { fill: #9198a1 } .other { fill: #515c67 }
    .line.ours { stroke: #4493f8 } .line.baseline { stroke: #9198a1 } .line.other { stroke: #515c67 }
    .spread { stroke: #f0f6fc } .axis { stroke: #3d444d }
  }`

/**
 * Panels of bars, two beside each other. A bar ends at the median, the line across its end spans the quartiles.
 *
 * @param {{ title: string, bars: { label: string, kind: 'ours' | 'baseline' | 'other', ratio: { lower, median, upper } }[] }[]} panels
 */
export function barChart(description, panels) {
  const rows = []
  for (let index = 0; index < panels.length; index += 2) rows.push(panels.slice(index, index + 2))
  let top = 0
  const drawn = rows.map((row) => {
    const groups = row.map((panel, column) => group(column * (COLUMN + GAP), top, barPanel(panel)))
    top += TITLE + Math.max(...row.map(({ bars }) => bars.length)) * LINE + GAP
    return groups.join('\n')
  })
  return svg(description, 2 * COLUMN + GAP, top, drawn.join('\n'))
}

function barPanel({ title, bars }) {
  const most = Math.max(...bars.map(({ ratio }) => ratio.upper))
  const x = (value) => round(LABELS + 8 + (value / most) * BARS)
  const lines = bars.map(({ label, kind, ratio: { lower, median, upper } }, index) => {
    const y = TITLE + index * LINE
    return [
      `<text class="label" x="${LABELS}" y="${y + 12}">${plain(label)}</text>`,
      `<rect class="${kind}" x="${x(0)}" y="${y + 2}" width="${round(x(median) - x(0))}" height="13"/>`,
      `<line class="spread" x1="${x(lower)}" y1="${y + 8.5}" x2="${x(upper)}" y2="${y + 8.5}"/>`,
      `<text x="${round(Math.max(x(median), x(upper)) + 6)}" y="${y + 12}">${digits(median)} ×</text>`,
    ].join('')
  })
  return [`<text class="title" x="0" y="16">${plain(title)}</text>`, ...lines].join('\n')
}

/**
 * Panels of curves over sizes that grow by powers of ten.
 *
 * @param {{ title: string, curves: { label: string, kind: string, points: [size: number, ratio: number][] }[] }[]} panels
 */
export function curveChart(description, panels) {
  const groups = panels.map((panel, column) => group(column * (COLUMN + GAP), 0, curvePanel(panel)))
  return svg(description, 2 * COLUMN + GAP, TITLE + HEIGHT + 30, groups.join('\n'))
}

const HEIGHT = 160
const WIDTH = COLUMN - 150

function curvePanel({ title, curves }) {
  const points = curves.flatMap((curve) => curve.points)
  const sizes = [...new Set(points.map(([size]) => size))]
  const [first, last] = [Math.log(sizes[0]), Math.log(sizes.at(-1))]
  const most = 1.1 * Math.max(...points.map(([, ratio]) => ratio))
  const x = (size) => round(20 + ((Math.log(size) - first) / (last - first)) * WIDTH)
  const y = (ratio) => round(TITLE + HEIGHT * (1 - ratio / most))
  const lines = curves.map(({ kind, points }) => {
    const path = points.map(([size, ratio]) => `${x(size)},${y(ratio)}`).join(' ')
    return `<polyline class="line ${kind}" points="${path}"/>`
  })
  const ends = curves.map(({ label, points }) => ({ label, ratio: points.at(-1)[1] }))
  ends.sort((one, other) => other.ratio - one.ratio)
  let lowest = 0
  const labels = ends.map(({ label, ratio }) => {
    lowest = Math.max(lowest + 15, y(ratio) + 4)
    return `<text x="${20 + WIDTH + 8}" y="${lowest}">${plain(label)} ${digits(ratio)} ×</text>`
  })
  const axis = `<line class="axis" x1="20" y1="${y(0)}" x2="${20 + WIDTH}" y2="${y(0)}"/>`
  const ticks = sizes.map(
    (size) => `<text x="${x(size)}" y="${y(0) + 16}" text-anchor="middle">${size.toLocaleString('en')}</text>`,
  )
  return [`<text class="title" x="0" y="16">${plain(title)}</text>`, axis, ...ticks, ...lines, ...labels].join('\n')
}

function svg(description, width, height, content) {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>${plain(description)}</title>
<style>${STYLE}
</style>
${content}
</svg>
`
}

const group = (x, y, content) => `<g transform="translate(${x} ${y})">\n${content}\n</g>`

const round = (number) => Number(number.toFixed(1))

const plain = (text) => text.replaceAll('`', '').replaceAll('&', '&amp;').replaceAll('<', '&lt;')
