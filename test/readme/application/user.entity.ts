import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm'

/** What the first example imports. */
@Entity()
export class User {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true })
  email!: string

  @Column()
  name!: string
}
