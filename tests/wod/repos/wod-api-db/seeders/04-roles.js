'use strict';

module.exports = {
  async up(queryInterface) {
    const now = new Date();
    const row = (id, name) => ({ id, name, createdAt: now, updatedAt: now });
    return queryInterface.bulkInsert('roles', [row(1, 'user'), row(2, 'moderator'), row(3, 'admin')], {});
  },
};
