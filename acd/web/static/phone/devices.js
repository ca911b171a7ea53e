// Microphone, loudspeaker and ringer: which there are, and which this browser's user chose.

const KEPT = "acd.phone";
const USUAL = { microphone: "", speaker: "", ringer: "", autoAnswer: false };

/** What was chosen in this browser. "" is the system's own device. */
export function choices() {
  try {
    return { ...USUAL, ...JSON.parse(localStorage.getItem(KEPT)) };
  } catch {
    return { ...USUAL }; // nothing is kept here, or nothing that can be read
  }
}

export function keep(chosen) {
  try {
    localStorage.setItem(KEPT, JSON.stringify(chosen));
  } catch {
    // a browser that keeps nothing: the choice holds until the page is left
  }
}

/** {microphones, speakers}, each a list of {id, name}. Their names are known once the microphone was allowed. */
export async function devices() {
  const every = await navigator.mediaDevices.enumerateDevices();
  const of = (kind) =>
    every.filter((each) => each.kind === kind && each.deviceId && each.deviceId !== "default").map(named);
  return { microphones: of("audioinput"), speakers: of("audiooutput") };
}

function named(device) {
  return { id: device.deviceId, name: device.label };
}

/** The microphone's sound. One that was unplugged is replaced by the system's own. */
export async function microphone(chosen) {
  const wanted = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
  const get = (more) => navigator.mediaDevices.getUserMedia({ audio: { ...wanted, ...more } });
  if (!chosen) return get({});
  try {
    return await get({ deviceId: { exact: chosen } });
  } catch (error) {
    if (error.name !== "OverconstrainedError" && error.name !== "NotFoundError") throw error;
    return get({});
  }
}

/** Asks for the microphone now, so that the browser does not ask in the middle of the first call. */
export async function allowMicrophone(chosen) {
  for (const track of (await microphone(chosen)).getTracks()) track.stop();
}
