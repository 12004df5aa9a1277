import type { DataSource, ObjectLiteral } from 'typeorm'
import type { Country as Source } from 'world-countries'
import { Country, Currency, Language, Region } from './entities.js'

export interface Rows {
  readonly regions: number
  readonly currencies: number
  readonly languages: number
  readonly countries: number
  readonly currencyLinks: number
  readonly languageLinks: number
}

/** What has to be stored in the end. */
export function expectedRows(sources: readonly Source[]): Rows {
  const currencies = sources.flatMap((source) => Object.keys(source.currencies))
  const languages = sources.flatMap((source) => Object.keys(source.languages))
  return {
    regions: distinct(sources.map((source) => source.region)),
    currencies: distinct(currencies),
    languages: distinct(languages),
    countries: distinct(sources.map((source) => source.cca3)),
    currencyLinks: currencies.length,
    languageLinks: languages.length,
  }
}

/** What is stored, and how many of the rows are there twice. */
export async function storedRows(dataSource: DataSource): Promise<{ rows: Rows; duplicates: number }> {
  const regions = await dataSource.getRepository(Region).find()
  const currencies = await dataSource.getRepository(Currency).find()
  const languages = await dataSource.getRepository(Language).find()
  const countries = await dataSource.getRepository(Country).find({ relations: { currencies: true, languages: true } })
  return {
    rows: {
      regions: regions.length,
      currencies: currencies.length,
      languages: languages.length,
      countries: countries.length,
      currencyLinks: countries.flatMap((country) => country.currencies).length,
      languageLinks: countries.flatMap((country) => country.languages).length,
    },
    duplicates:
      repeats(regions, 'name') + repeats(currencies, 'code') + repeats(languages, 'code') + repeats(countries, 'code'),
  }
}

const distinct = (values: readonly unknown[]) => new Set(values).size

const repeats = <E extends ObjectLiteral>(entities: readonly E[], key: keyof E) =>
  entities.length - distinct(entities.map((entity) => entity[key]))
