// Passkeys: asks the authenticator, and hands what it says to the form.

async function options(address) {
  const answer = await fetch(address, { credentials: "same-origin", cache: "no-store" });
  if (!answer.ok) throw new Error("The server does not answer.");
  return answer.json();
}

async function fill(form, found, credential) {
  form.elements.challenge.value = found.challenge;
  form.elements.credential.value = JSON.stringify(credential.toJSON());
  form.submit();
}

const ways = {
  async make(form) {
    const found = await options("/wallet/passkeys/creation");
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(found);
    await fill(form, found, await navigator.credentials.create({ publicKey }));
  },
  async use(form) {
    const found = await options("/wallet/sign-in/passkey");
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(found);
    await fill(form, found, await navigator.credentials.get({ publicKey }));
  },
};

if (globalThis.PublicKeyCredential?.parseCreationOptionsFromJSON) {
  for (const form of document.querySelectorAll("form[data-passkey]")) {
    form.hidden = false;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      try {
        await ways[form.dataset.passkey](form);
      } catch {
        form.querySelector("[role=status]").textContent = "No passkey was used. Try again, or go on without.";
      }
    });
  }
}
