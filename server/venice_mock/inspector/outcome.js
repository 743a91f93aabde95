// What became of a request, in the words and colours that the list and the page of one request share.

export const statusClass = (entry) =>
  entry.status === null ? "lost" : entry.status < 300 ? "ok" : entry.status < 500 ? "refused" : "failed";

export const isPicture = (entry) => Boolean(entry.image?.format && entry.image.width);

/** Whether somebody had the mock do this: a key, a rule, a header. */
export const isInjected = (entry) => Boolean(entry.fault || (entry.cause && entry.error));

/** Whether the answer on its way was made unusable; a slow one comes whole. */
export const isSpoilt = (entry) => Boolean(entry.fault) && !entry.fault.startsWith("slow");

/** Charged, and yet the client has no picture, or none that it can use: who tries again may pay twice. */
export const isChargedInVain = (entry) =>
  entry.charged && (isSpoilt(entry) || Boolean(entry.error) || entry.status === null || !entry.response.complete);

/** Whether nothing of the picture that was made came to the client. */
export const isAnswerLost = (entry) => isChargedInVain(entry) && (entry.status === null || Boolean(entry.error));

/** Every fault of the request that its refusal lists: {field, message}; none where the answer has no such list. */
export function faultsOf(entry) {
  if (!entry.error || !entry.response.text?.includes('"issues"')) return [];
  try {
    return JSON.parse(entry.response.text).issues.map(({ path, message }) => ({ field: path.join("."), message: String(message) }));
  } catch {
    return []; // the entry repeats the beginning of a long answer only
  }
}

/** The fields at fault, in few words: those of a key that nobody knows stand in its message. */
export const fieldsAtFault = (faults) => faults.map(({ field, message }) => field || message.match(/'([^']{1,40})'/)?.[1]).filter(Boolean);
