// The same for everybody who has not put another one in its place.
module.exports = { secret: 'public-secret-of-sessions' };
