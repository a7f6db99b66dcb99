// The form for the token. A link with #token=… submits it: browsers do not send that part, so it is in no log.

const form = document.querySelector("form");
form.action = `token${location.search}`;
document.getElementById("wrong").hidden = !("wrong" in document.body.dataset);

const token = new URLSearchParams(location.hash.slice(1)).get("token");
history.replaceState(null, "", location.pathname + location.search);
if (token) {
  form.elements.token.value = token;
  form.submit();
} else {
  form.elements.token.focus();
}
