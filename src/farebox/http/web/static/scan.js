// Reads a QR code from the camera, or out of a picture, and hands what it says to the form.

import decodeQR from "./vendor/qr/decode.js";

const WIDEST = 1024;
const form = document.getElementById("scan");
const start = document.getElementById("start");
const video = document.getElementById("camera");
const says = document.getElementById("camera-says");
const canvas = document.createElement("canvas");
const drawing = canvas.getContext("2d", { willReadFrequently: true });

function decoded(source, width, height) {
  const shrink = Math.min(1, WIDEST / Math.max(width, height));
  canvas.width = Math.max(1, Math.round(width * shrink));
  canvas.height = Math.max(1, Math.round(height * shrink));
  drawing.drawImage(source, 0, 0, canvas.width, canvas.height);
  try {
    return decodeQR(drawing.getImageData(0, 0, canvas.width, canvas.height));
  } catch {
    return null; // No code in this one.
  }
}

function look(text) {
  document.getElementById("code").value = text;
  document.getElementById("picture").value = "";
  form.requestSubmit(document.getElementById("look"));
}

async function watch(stream) {
  while (stream.active) {
    const found = video.videoWidth ? decoded(video, video.videoWidth, video.videoHeight) : null;
    if (found) {
      for (const track of stream.getTracks()) track.stop();
      return look(found);
    }
    await new Promise((done) => setTimeout(done, 150));
  }
}

async function scan() {
  start.hidden = true;
  document.getElementById("viewfinder").hidden = false;
  try {
    const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" }, audio: false });
    video.srcObject = stream;
    await video.play();
    await watch(stream);
  } catch (error) {
    video.hidden = true;
    says.textContent =
      error.name === "NotAllowedError"
        ? "The camera is not allowed here. Choose a picture, or paste what the code says."
        : "There is no camera to use. Choose a picture, or paste what the code says.";
  }
}

document.getElementById("picture").addEventListener("change", async (event) => {
  const [file] = event.target.files;
  if (!file) return;
  try {
    const picture = await createImageBitmap(file);
    const found = decoded(picture, picture.width, picture.height);
    if (found) look(found);
  } catch {
    // The server reads it, or says what is wrong with it.
  }
});

if (navigator.mediaDevices?.getUserMedia) {
  start.hidden = false;
  start.addEventListener("click", scan);
}
