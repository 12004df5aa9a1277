import { DataTypes, Sequelize } from 'sequelize'

export async function open({ type, url, connections }, { method }) {
  const sequelize = new Sequelize(url, {
    dialect: type === 'postgres' ? 'postgres' : 'mysql',
    logging: false,
    pool: { max: connections, min: connections, idle: 3_600_000 },
  })
  const User = sequelize.define(
    'User',
    {
      email: { type: DataTypes.STRING, unique: true },
      name: DataTypes.STRING,
      visits: { type: DataTypes.INTEGER, defaultValue: 0 },
      registered: { type: DataTypes.DATE, defaultValue: DataTypes.NOW },
    },
    { tableName: 'users', timestamps: false },
  )
  return {
    getOrCreate: (email, name) => User[method]({ where: { email }, defaults: { name } }),
    close: () => sequelize.close(),
  }
}
