/** The median of the values, with the quartiles around it. */
export function quartiles(values) {
  const sorted = values.toSorted((one, other) => one - other)
  const at = (share) => {
    const position = (sorted.length - 1) * share
    const below = sorted[Math.floor(position)]
    return below + (sorted[Math.ceil(position)] - below) * (position % 1)
  }
  return { lower: at(0.25), median: at(0.5), upper: at(0.75) }
}

/** How many times faster than the baseline, round by round: what disturbed a round has disturbed both. */
export function ratios(slices, baseline) {
  const both = slices.map((slice, round) => slice?.rate / baseline[round]?.rate).filter(Number.isFinite)
  return both.length > 0 ? quartiles(both) : undefined
}

/** The ratios of each size, against the baseline at that size or, without one, against the same contender's first size. */
export function growthRatios(bySize, baseline) {
  const [first] = Object.values(bySize)
  return Object.fromEntries(
    Object.entries(bySize).map(([size, slices]) => [
      size,
      Object.fromEntries(
        Object.entries(slices).map(([name, own]) => [name, ratios(own, baseline ? slices[baseline] : first[name])]),
      ),
    ]),
  )
}

/** Three of them, as far as they come after the point. */
export const digits = (number) => number.toFixed(number < 10 ? 2 : number < 100 ? 1 : 0)
