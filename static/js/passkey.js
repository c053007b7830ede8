// <form data-passkey="create" or "get" hidden> with a hidden field "credential", and the server's options in
// #passkey-options: asks the browser for a passkey and sends what it says. Without this script, or in a browser
// that knows no passkeys, the form stays hidden and [data-no-passkey] says so.
const options = document.getElementById("passkey-options");
const READ = {
  create: window.PublicKeyCredential?.parseCreationOptionsFromJSON,
  get: window.PublicKeyCredential?.parseRequestOptionsFromJSON,
};

for (const form of document.querySelectorAll("form[data-passkey]")) {
  const kind = form.dataset.passkey;
  if (!options || !READ[kind]) continue;

  const told = document.createElement("p");
  told.setAttribute("role", "status");
  form.append(told);
  form.hidden = false;
  for (const note of document.querySelectorAll("[data-no-passkey]")) note.hidden = true;

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    told.textContent = "";
    try {
      const { publicKey } = JSON.parse(options.textContent);
      const credential = await navigator.credentials[kind]({
        publicKey: READ[kind].call(PublicKeyCredential, publicKey),
      });
      form.elements.credential.value = JSON.stringify(credential);
      form.submit();
    } catch {
      told.textContent = "No passkey was used. Try again, or use another way.";
    }
  });
}
