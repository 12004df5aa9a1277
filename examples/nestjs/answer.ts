import { HttpStatus } from '@nestjs/common'

/** What the examples need of the response, on Express and on Fastify. */
export interface Answer {
  status(code: HttpStatus): unknown
}

/** 201 for whoever created the entity, 200 for everyone else; the same body for all. */
export function answerWith<E>(answer: Answer, [entity, created]: [entity: E, created: boolean]): E {
  answer.status(created ? HttpStatus.CREATED : HttpStatus.OK)
  return entity
}
