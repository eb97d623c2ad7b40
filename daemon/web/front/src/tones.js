// What does a signal sound like? The same pulses and pitches as daemon/sound/tones.py; a test holds the two together.

/** By priority; a caution has none. */
export const SIGNALS = { A: "ALARM", W: "WARNING" };
export const PULSES = {
  ALARM: { count: 3, pulse_s: 0.18, gap_s: 0.12, every_s: 7 },
  WARNING: { count: 2, pulse_s: 0.25, gap_s: 0.2, every_s: 60 },
  STALE: { count: 1, pulse_s: 0.8, gap_s: 0, every_s: 60 },
};
/** By set. */
export const PITCHES_HZ = {
  1: { ALARM: 784, WARNING: 523, STALE: 330 },
  2: { ALARM: 988, WARNING: 659, STALE: 415 },
};
/** The fundamental, its octave and its twelfth, with their loudness. */
export const HARMONICS = [1, 0.5, 0.25];
/** A pulse rises and falls along half a cosine for so long: a sudden edge is a click at every pitch. */
export const EDGE_S = 0.012;
const EDGE_STEPS = 13;
const LEAD_S = 0.05;

/** Have one group of pulses played; return what stops those that have not begun, and what is heard now. */
export function play(audio, signal, { tones, volume }) {
  const shape = PULSES[signal];
  const loudness = HARMONICS.reduce((sum, each) => sum + each, 0);
  const wave = audio.createPeriodicWave(new Float32Array(HARMONICS.length + 1), Float32Array.of(0, ...HARMONICS), {
    disableNormalization: true,
  });
  const began_s = audio.currentTime + LEAD_S;
  const pulses = Array.from({ length: shape.count }, (_, number) => {
    const at_s = began_s + number * (shape.pulse_s + shape.gap_s);
    const source = audio.createOscillator();
    source.setPeriodicWave(wave);
    source.frequency.value = PITCHES_HZ[tones][signal];
    const gain = audio.createGain();
    gain.gain.value = 0;
    const peak = volume / 100 / loudness;
    gain.gain.setValueCurveAtTime(edge(peak, false), at_s, EDGE_S);
    gain.gain.setValueCurveAtTime(edge(peak, true), at_s + shape.pulse_s - EDGE_S, EDGE_S);
    source.connect(gain).connect(audio.destination);
    source.start(at_s);
    source.stop(at_s + shape.pulse_s);
    return source;
  });
  return () => {
    for (const source of pulses) source.disconnect();
  };
}

function edge(peak, falls) {
  const rise = Float32Array.from({ length: EDGE_STEPS }, (_, at) => {
    return peak * (0.5 - 0.5 * Math.cos((Math.PI * at) / (EDGE_STEPS - 1)));
  });
  return falls ? rise.reverse() : rise;
}
