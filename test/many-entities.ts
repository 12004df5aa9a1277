/** Entities for keys that a database gives back in another form than it was given them. */
import { createHash } from 'node:crypto'
import {
  AfterInsert,
  AfterLoad,
  BeforeInsert,
  Column,
  Entity,
  ManyToOne,
  PrimaryColumn,
  PrimaryGeneratedColumn,
} from 'typeorm'
import { database } from './databases.js'
import { Team } from './entities.js'

@Entity()
export class Specimen {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ type: 'bigint', unique: true, nullable: true })
  big!: string | number | bigint | null

  @Column({ type: 'decimal', precision: 10, scale: 2, unique: true, nullable: true })
  weight!: string | number | null

  @Column({ type: 'date', unique: true, nullable: true })
  day!: string | null

  @Column({ type: Date, precision: 3, unique: true, nullable: true })
  at!: Date | null

  @Column({ type: 'uuid', unique: true, nullable: true })
  reference!: string | null

  @Column({ type: database.binaryType, unique: true, nullable: true })
  digest!: Buffer | null

  @Column({ type: 'varchar', length: 40, nullable: true })
  note!: string | null
}

/** Stored in lower case, whatever the case that was given. */
const lowerCase = { to: (value: string) => value.toLowerCase(), from: (value: string) => value }
/** What is stored says nothing about what was given, and transformed again it is something else. */
const oneWay = {
  to: (value: string) => createHash('sha256').update(value).digest('hex'),
  from: (value: string) => value,
}
const asBigint = { to: (value?: bigint) => value?.toString(), from: (value: string | number) => BigInt(value) }

@Entity()
export class Alias {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true, length: 40, transformer: lowerCase })
  name!: string

  @Column({ type: 'varchar', length: 40, nullable: true })
  note!: string | null
}

@Entity()
export class Token {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true, length: 64, transformer: oneWay })
  secret!: string

  @Column({ type: 'varchar', length: 40, nullable: true })
  note!: string | null
}

@Entity()
export class Account {
  @PrimaryColumn({ type: 'bigint', transformer: asBigint })
  number!: bigint

  @Column({ type: 'varchar', length: 40, nullable: true })
  note!: string | null

  @ManyToOne(() => Team, { nullable: true })
  owner!: Team | null
}

/** No key at all: two equal rows may live beside each other. */
@Entity()
export class Measurement {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ type: 'decimal', precision: 10, scale: 2 })
  value!: string | number

  @Column({ type: 'varchar', length: 40, nullable: true })
  note!: string | null
}

/** Hooks that note that they ran, and change what is stored. */
@Entity()
export class Page {
  static events: string[] = []

  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true, length: 40 })
  path!: string

  @Column({ type: 'varchar', length: 40, unique: true, nullable: true })
  short!: string | null

  @Column({ type: 'varchar', length: 80, nullable: true })
  title!: string | null

  loads = 0

  @BeforeInsert()
  before() {
    Page.events.push(`before ${this.path}`)
    this.title = `${this.title}, by listener`
  }

  @AfterInsert()
  after() {
    Page.events.push(`after ${this.path} id ${typeof this.id}`)
  }

  @AfterLoad()
  load() {
    this.loads += 1
  }
}

/** A hook that writes the key in its proper form. */
@Entity()
export class Mailbox {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true, length: 40 })
  address!: string

  @BeforeInsert()
  normalize() {
    this.address = this.address.trim()
  }
}

@Entity()
export class Audit {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true, length: 60 })
  note!: string
}

export const manyEntities = [Specimen, Alias, Token, Account, Measurement, Page, Mailbox, Audit]
