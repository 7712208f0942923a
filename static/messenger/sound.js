// A short sound of two notes, made here: no file, and nothing that a page's policy has to allow.

const NOTES = [660, 880];
const LENGTH = 0.16;

/** @type {AudioContext | null} */
let context = null;

/** Browsers let a page be heard once somebody has touched it. */
export function prepareSound() {
  const ready = () => {
    context ??= new AudioContext();
    if (context.state === 'suspended') context.resume().catch(() => {});
  };
  for (const type of ['pointerdown', 'keydown']) document.addEventListener(type, ready, { once: true, capture: true });
}

export function playSound() {
  if (!context || context.state !== 'running') return false;
  NOTES.forEach((frequency, index) => {
    const audio = /** @type {AudioContext} */ (context);
    const start = audio.currentTime + index * LENGTH * 0.7;
    const tone = audio.createOscillator();
    const loudness = audio.createGain();
    tone.frequency.value = frequency;
    loudness.gain.setValueAtTime(0, start);
    loudness.gain.linearRampToValueAtTime(0.12, start + 0.015);
    loudness.gain.exponentialRampToValueAtTime(0.001, start + LENGTH);
    tone.connect(loudness).connect(audio.destination);
    tone.start(start);
    tone.stop(start + LENGTH);
  });
  return true;
}
