'use strict';

module.exports = {
  async up(queryInterface, Sequelize) {
    const tables = require('../models/tables')(Sequelize.DataTypes);
    for (const [name, columns] of Object.entries(tables)) await queryInterface.createTable(`${name}s`, columns);
  },
  async down() {
    throw new Error('there is no way back from the first tables');
  },
};
