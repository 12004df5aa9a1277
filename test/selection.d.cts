export const embeddedDatabases: readonly string[]
export const databaseNames: readonly string[]
export const defaultUrls: Readonly<Record<string, string>>
export function urlOf(name: string): string | undefined
export function selectedDatabases(selection?: string): string[]
