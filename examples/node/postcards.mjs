// The code that is tested: an edit with fetch, tried again only where the server has said that nothing was done.
const NOT_DONE = new Set([429, 503]);

export async function edit(baseUrl, key, picture, prompt, attempts = 3) {
  for (let attempt = 1; ; attempt += 1) {
    const form = new FormData();
    form.set("model", "qwen-edit");
    form.set("prompt", prompt);
    form.set("image", picture, "picture.png");
    const answer = await fetch(`${baseUrl}/image/edit`, {
      method: "POST",
      headers: { Authorization: `Bearer ${key}` },
      body: form,
    });
    if (answer.ok) return new Uint8Array(await answer.arrayBuffer());
    if (!NOT_DONE.has(answer.status) || attempt === attempts) {
      throw Object.assign(new Error((await answer.json()).error), { status: answer.status });
    }
  }
}
