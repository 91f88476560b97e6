'use strict';

const Sequelize = require('sequelize');
const tables = require('./tables')(Sequelize.DataTypes);
const config = require('../config/config')[process.env.NODE_ENV || 'development'];

const sequelize = new Sequelize(config.database, config.username, config.password, config);
const db = { sequelize, Sequelize };
for (const [name, columns] of Object.entries(tables)) db[name] = sequelize.define(name, columns);

// No migration makes this table.
db.role.belongsToMany(db.user, { through: 'user_roles', foreignKey: 'roleId', otherKey: 'userId' });
db.user.belongsToMany(db.role, { through: 'user_roles', foreignKey: 'userId', otherKey: 'roleId' });

module.exports = db;
