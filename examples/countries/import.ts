import type { Country as Source } from 'world-countries'
import type { GetOrCreateRepository } from '../../src/index.js'
import type { Country, Currency, Language, Region } from './entities.js'

export interface Repositories {
  readonly regions: GetOrCreateRepository<Region>
  readonly currencies: GetOrCreateRepository<Currency>
  readonly languages: GetOrCreateRepository<Language>
  readonly countries: GetOrCreateRepository<Country>
}

/** Stores one country with its links, and what it shares with other countries unless one of them was faster. */
export async function importCountry(repositories: Repositories, source: Source): Promise<void> {
  const { regions, currencies, languages, countries } = repositories

  const [region] = await regions.getOrCreate({ name: source.region })

  const itsCurrencies: Currency[] = []
  for (const [code, { name }] of Object.entries(source.currencies)) {
    const [currency] = await currencies.getOrCreate({ code }, { name })
    itsCurrencies.push(currency)
  }

  const itsLanguages: Language[] = []
  for (const [code, name] of Object.entries(source.languages)) {
    const [language] = await languages.getOrCreate({ code }, { name })
    itsLanguages.push(language)
  }

  await countries.getOrCreate(
    { code: source.cca3 },
    { name: source.name.common, region, currencies: itsCurrencies, languages: itsLanguages },
  )
}
