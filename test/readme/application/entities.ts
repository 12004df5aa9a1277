import { Column, Entity, ManyToOne, PrimaryGeneratedColumn } from 'typeorm'
import { User } from './user.entity.js'

export { User }

@Entity()
export class Team {
  @PrimaryGeneratedColumn()
  id!: number
}

@Entity()
export class Page {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true })
  path!: string

  @Column({ default: '' })
  title!: string

  @Column({ default: 0 })
  visits!: number
}

@Entity()
export class Tag {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true })
  label!: string

  @Column({ default: 0 })
  position!: number
}

@Entity()
export class Post {
  @PrimaryGeneratedColumn()
  id!: number

  @Column()
  title!: string

  @ManyToOne(() => User)
  author!: User
}

@Entity()
export class Outbox {
  @PrimaryGeneratedColumn()
  id!: number

  @Column()
  type!: string

  @Column()
  userId!: number
}
