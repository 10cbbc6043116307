'use strict';

// A personal greeting, in the language of the device. Who calls is what the gateway verified; the name is what the caller says,
// and the language what the device says: good enough to be polite by, and for nothing else.

const GREETINGS = { de: 'Guten Tag', en: 'Hello', fr: 'Bonjour', it: 'Buongiorno' };

exports.handler = async (event, context) => {
  const name = typeof event?.name === 'string' && event.name !== '' ? event.name : 'stranger';
  const language = String(context.clientContext?.env?.locale ?? 'en').slice(0, 2);
  return {
    text: `${GREETINGS[language] ?? GREETINGS.en}, ${name}!`,
    signedIn: context.callgate?.signedIn ?? false,
  };
};
