// The tables' columns, for the models and for the migration.
'use strict';

module.exports = ({ ARRAY, BOOLEAN, DATE, INTEGER, STRING, TEXT }) => {
  const table = (columns) => ({
    id: { type: INTEGER, primaryKey: true, autoIncrement: true },
    ...columns,
    createdAt: DATE,
    updatedAt: DATE,
  });
  const no = { type: BOOLEAN, allowNull: false, defaultValue: false };
  return {
    location: table({ name: STRING, basestdid: INTEGER, proto: STRING, port: STRING }),
    role: table({ name: STRING }),
    special_badge: table({ title: STRING, description: TEXT, badgeImg: STRING }),
    student: table({ username: STRING, location: STRING, url: STRING, password: STRING, assigned: no }),
    user: table({ username: STRING, email: STRING, password: STRING }),
    workshop: table({
      name: STRING, notebook: STRING, description: TEXT, sessionType: STRING, active: no, capacity: INTEGER,
      priority: INTEGER, range: ARRAY(INTEGER), reset: no, ldap: no, avatar: STRING, role: STRING, replayLink: STRING,
      compile: STRING, varpass: no, replayId: INTEGER, workshopImg: STRING, badgeImg: STRING, monoappliance: no,
      multiappliance: no, beta: no, category: ARRAY(STRING), duration: INTEGER, presenter: STRING, location: STRING,
      alternateLocation: ARRAY(STRING),
    }),
    customer: table({
      name: STRING, email: STRING, company: STRING, sessionName: STRING, sessionType: STRING, notebook: STRING,
      location: STRING, proxy: STRING, active: no, studentId: INTEGER,
    }),
  };
};
