// Which faults have the deltas on standard input by Signal K's own schemas? One list a delta, as JSON.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';

const require = createRequire(import.meta.url);
const tv4 = require('tv4');
const { validateDelta } = require('@signalk/signalk-schema');
const notifications = require('@signalk/signalk-schema/schemas/groups/notifications.json');
const definitions = require('@signalk/signalk-schema/schemas/definitions.json');

const { properties } = notifications.definitions.notification.allOf[1];
const notification = { ...properties.value, definitions: definitions.definitions };
const schema = JSON.parse(JSON.stringify(notification).replaceAll('../definitions.json#', '#'));
const branch = new RegExp(Object.keys(notifications.definitions.notificationBranch.patternProperties)[0]);

const faults = (delta) => {
  const whole = validateDelta(delta);
  const found = whole.valid ? [] : whole.errors.map((each) => each.message);
  for (const update of delta.updates) {
    for (const { path, value } of update.values ?? []) {
      if (!path?.startsWith('notifications.') || value === null) continue;
      if (!path.split('.').slice(1).every((step) => branch.test(step))) found.push(`path ${path}`);
      const judged = tv4.validateMultiple(value, schema);
      found.push(...judged.errors.map((each) => each.message), ...judged.missing);
    }
  }
  return found;
};
console.log(JSON.stringify(JSON.parse(readFileSync(0, 'utf8')).map(faults)));
