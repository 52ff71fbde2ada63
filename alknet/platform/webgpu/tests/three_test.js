// The npm package three 0.187, unmodified: a lit scene drawn into a texture, compared with a stored picture.
import { ok, run } from "./harness.js";

globalThis.self = globalThis;
let frame = null;
globalThis.requestAnimationFrame = (callback) => ((frame = callback), 1);
globalThis.cancelAnimationFrame = () => (frame = null);

const THREE = await import("three/webgpu");

const kSize = 128;

async function drawScene() {
  const canvas = new OffscreenCanvas(kSize, kSize);
  canvas.style = {};
  const renderer = new THREE.WebGPURenderer({ canvas, antialias: false });
  await renderer.init();
  const scene = new THREE.Scene();
  scene.background = new THREE.Color(0xa0c0e0);
  const camera = new THREE.PerspectiveCamera(45, 1, 0.1, 10);
  camera.position.set(2, 1.5, 3);
  camera.lookAt(0, 0, 0);
  scene.add(new THREE.AmbientLight(0xffffff, 1.2));
  const light = new THREE.DirectionalLight(0xffffff, 5);
  light.position.set(3, 4, 2);
  scene.add(light);
  const box = new THREE.Mesh(
    new THREE.BoxGeometry(1.2, 1.2, 1.2),
    new THREE.MeshStandardMaterial({ color: 0xff6030, roughness: 0.5 }),
  );
  scene.add(box);
  const ball = new THREE.Mesh(new THREE.SphereGeometry(0.5, 24, 16), new THREE.MeshStandardMaterial({ color: 0x40a0ff }));
  ball.position.set(0.9, 0.4, 0.9);
  scene.add(ball);
  const target = new THREE.RenderTarget(kSize, kSize);
  renderer.setRenderTarget(target);
  renderer.render(scene, camera);
  return renderer.readRenderTargetPixelsAsync(target, 0, 0, kSize, kSize);
}

/** How two pictures differ: the mean over all channels, and the share of pixels that differ plainly. */
function difference(a, b) {
  let sum = 0;
  let plainly = 0;
  for (let i = 0; i < b.length; i += 4) {
    let most = 0;
    for (let channel = 0; channel < 4; channel++) {
      const apart = Math.abs(a[i + channel] - b[i + channel]);
      sum += apart;
      most = Math.max(most, apart);
    }
    if (most > 24) plainly++;
  }
  return { mean: sum / b.length, plainly: (plainly * 4) / b.length };
}

await run({
  async "a lit scene looks as it did"() {
    const drawn = await drawScene();
    const stored = readPicture("alknet/platform/webgpu/tests/three_scene.png");
    ok(drawn.length === stored.length, `${drawn.length} bytes`);
    const { mean, plainly } = difference(drawn, stored);
    if (mean > 2 || plainly > 0.01) {
      writeFile("three_scene.rgba", drawn);
      throw new Error(`the picture differs by ${mean} on average, plainly in ${plainly}: see three_scene.rgba`);
    }
    const black = difference(new Uint8Array(stored.length), stored);
    ok(black.mean > 50, "the stored picture is dark");
  },
});
