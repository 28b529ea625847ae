// The wallboard's sound: a short tone when something more is lost, and only after somebody has asked for it.
"use strict";
(() => {
  const button = document.getElementById("suara");
  let audio, lost;
  const beep = (hertz, from) => {
    const tone = audio.createOscillator(), volume = audio.createGain();
    tone.frequency.value = hertz;
    volume.gain.value = 0.2;
    tone.connect(volume).connect(audio.destination);
    tone.start(audio.currentTime + from);
    tone.stop(audio.currentTime + from + 0.25);
  };
  document.addEventListener("vcmon", ({ detail: { counts } }) => {
    const now = counts.down + counts.unreachable;
    if (audio && lost !== undefined && now > lost) { beep(880, 0); beep(660, 0.3); button.dataset.rung = now; }
    lost = now;
  });
  button.hidden = false;
  button.addEventListener("click", () => {
    audio = new AudioContext();
    beep(660, 0);
    button.hidden = true;
  });
})();
