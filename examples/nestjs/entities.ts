import { Column, Entity, JoinTable, ManyToMany, PrimaryGeneratedColumn } from 'typeorm'

@Entity()
export class User {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true })
  email!: string

  @Column({ length: 100 })
  name!: string
}

@Entity()
export class Tag {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true, length: 50 })
  label!: string
}

@Entity()
export class Post {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true, length: 100 })
  slug!: string

  @Column({ length: 200 })
  title!: string

  @ManyToMany(() => Tag)
  @JoinTable()
  tags!: Tag[]
}
