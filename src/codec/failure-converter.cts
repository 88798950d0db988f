// Puts message and stack of every failure into a payload, so that the codec encrypts them too. Temporal's SDK takes it
// by its path, by `require` in a worker and by webpack in the workflows' bundle; hence CommonJS, in words that need no compiler.
const { DefaultFailureConverter } = require('@temporalio/common');

module.exports = { failureConverter: new DefaultFailureConverter({ encodeCommonAttributes: true }) };
