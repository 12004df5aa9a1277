import 'reflect-metadata'
import { DataSource, EntitySchema } from 'typeorm'

export class User {}

const schema = new EntitySchema({
  name: 'User',
  target: User,
  tableName: 'users',
  columns: {
    id: { type: Number, primary: true, generated: true },
    email: { type: String, unique: true },
    name: { type: String },
    visits: { type: Number, default: 0 },
    registered: { type: Date, createDate: true },
  },
})

/** @param {import('./index.js').Target} target */
export async function openDataSource({ type, url, connections }) {
  const dataSource = new DataSource({ type, url, poolSize: connections, entities: [schema] })
  await dataSource.initialize()
  return dataSource
}
