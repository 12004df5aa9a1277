import { Column, Entity, JoinTable, ManyToMany, ManyToOne, PrimaryGeneratedColumn } from 'typeorm'

@Entity()
export class Region {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true, length: 40 })
  name!: string
}

@Entity()
export class Currency {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true, length: 3 })
  code!: string

  @Column({ length: 60 })
  name!: string
}

@Entity()
export class Language {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true, length: 3 })
  code!: string

  @Column({ length: 60 })
  name!: string
}

@Entity()
export class Country {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true, length: 3 })
  code!: string

  @Column({ length: 60 })
  name!: string

  @ManyToOne(() => Region, { nullable: false })
  region!: Region

  @ManyToMany(() => Currency)
  @JoinTable()
  currencies!: Currency[]

  @ManyToMany(() => Language)
  @JoinTable()
  languages!: Language[]
}
