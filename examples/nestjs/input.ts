import { BadRequestException } from '@nestjs/common'

/** The text that a request must bring under this name. */
export function textOf(body: unknown, name: string): string {
  const text = (body as Record<string, unknown> | undefined)?.[name]
  if (typeof text !== 'string' || text.trim() === '') throw new BadRequestException(`${name} must be a text`)
  return text.trim()
}

/** The texts that a request may bring under this name, each once. */
export function textsOf(body: unknown, name: string): string[] {
  const texts = (body as Record<string, unknown> | undefined)?.[name] ?? []
  if (!Array.isArray(texts)) throw new BadRequestException(`${name} must be a list of texts`)
  return [...new Set(texts.map((text) => textOf({ [name]: text }, name)))]
}
