/** Entities for the ways in which a row can be identified, and for what may not identify one. */
import {
  Column,
  Entity,
  EntitySchema,
  Index,
  JoinColumn,
  ManyToOne,
  OneToOne,
  PrimaryColumn,
  PrimaryGeneratedColumn,
  Tree,
  TreeChildren,
  TreeParent,
  ViewColumn,
  ViewEntity,
} from 'typeorm'
import { Team, User } from './entities.js'

export class Contact {
  @Column({ unique: true })
  phone!: string

  @Column({ type: 'varchar', length: 100, nullable: true })
  city!: string | null
}

/** A unique column inside an embedded object. */
@Entity()
export class Customer {
  @PrimaryGeneratedColumn()
  id!: number

  @Column(() => Contact)
  contact!: Contact

  @Column({ length: 100, default: 'unnamed' })
  name!: string
}

/** A composite primary key. */
@Entity()
export class Seat {
  @PrimaryColumn({ length: 5 })
  line!: string

  @PrimaryColumn()
  position!: number

  @Column({ type: 'varchar', length: 100, nullable: true })
  guest!: string | null
}

/** A generated uuid beside a natural key. */
@Entity()
export class Device {
  @PrimaryGeneratedColumn('uuid')
  id!: string

  @Column({ unique: true })
  serial!: string

  @Column({ type: 'simple-json', nullable: true })
  settings!: { unit: string } | null
}

/** A one-to-one join column, which is unique. */
@Entity()
export class Passport {
  @PrimaryGeneratedColumn()
  id!: number

  @OneToOne(() => User, { nullable: false })
  @JoinColumn()
  holder!: User

  @Column({ length: 100 })
  country!: string
}

/** A transformer that shows when it is applied twice, and a field that is no column. */
@Entity()
export class Badge {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({
    unique: true,
    transformer: { to: (code: string) => `#${code}`, from: (stored: string) => stored.slice(1) },
  })
  code!: string

  @Column({ default: 1 })
  level!: number

  scratch?: string
}

/** Unique by an index with a condition, which lets closed tickets share a title, and by one without. */
@Entity()
@Index(['title'], { unique: true, where: 'closed IS NULL' })
@Index(['queue', 'position'], { unique: true })
export class Ticket {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ length: 100 })
  title!: string

  @Column({ length: 100, default: 'main' })
  queue!: string

  @Column({ type: 'int', nullable: true })
  position!: number | null

  @Column({ type: 'int', nullable: true })
  closed!: number | null
}

/** An eager relation. */
@Entity()
export class Coach {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true })
  name!: string

  @ManyToOne(() => Team, { eager: true, nullable: true })
  team!: Team | null
}

@Entity()
@Tree('materialized-path')
export class Folder {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true })
  name!: string

  @TreeParent()
  parent!: Folder | null

  @TreeChildren()
  children!: Folder[]
}

@ViewEntity({
  expression: (dataSource) => dataSource.createQueryBuilder().select('team.name', 'name').from(Team, 'team'),
})
export class TeamName {
  @ViewColumn()
  name!: string
}

export interface Setting {
  key: string
  value: string
}

/** An entity without a class. */
export const SettingSchema = new EntitySchema<Setting>({
  name: 'Setting',
  columns: { key: { type: String, primary: true, length: 100 }, value: { type: String, length: 100, default: 'on' } },
})

export const keyEntities = [Customer, Seat, Device, Passport, Badge, Ticket, Coach, Folder, TeamName, SettingSchema]
