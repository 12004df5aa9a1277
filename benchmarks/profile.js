const LISTED = 30

/** The functions of a CPU profile in which most of the time was spent, without what they call. */
export function hottest({ nodes, samples, timeDeltas }) {
  const byId = new Map(nodes.map((node) => [node.id, node.callFrame]))
  const times = new Map()
  let total = 0
  for (const [index, id] of samples.entries()) {
    const place = placeOf(byId.get(id))
    if (place.startsWith('(idle)')) continue
    times.set(place, (times.get(place) ?? 0) + timeDeltas[index])
    total += timeDeltas[index]
  }
  return [...times]
    .sort(([, one], [, other]) => other - one)
    .slice(0, LISTED)
    .map(([place, time]) => `${((100 * time) / total).toFixed(1).padStart(5)} %  ${place}`)
    .join('\n')
}

function placeOf({ functionName, url, lineNumber }) {
  const file = url.replace(/^.*\/(?=(node_modules|dist|benchmarks)\/)/, '')
  return `${functionName || '(anonymous)'}  ${file ? `${file}:${lineNumber + 1}` : ''}`
}
