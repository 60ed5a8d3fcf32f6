// Sends a photo straight to the bucket. Where that way is closed, the form goes the ordinary way, as without this script.

const form = document.querySelector("form[data-direct]");
const TRIES = 3;

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  try {
    const answer = await sendStraight(form.image.files[0]);
    if (answer.ok) {
      location.assign(form.action);
      return;
    }
    tell(await sentence(answer));
  } catch {
    form.submit();
    return;
  }
  button.disabled = false;
});

// The site's last answer. Throws where the photo cannot go this way.
async function sendStraight(photo) {
  const opened = await post(form.dataset.direct, new URLSearchParams({ content_type: photo.type }));
  if (opened.status === 429) return opened;
  if (!opened.ok) throw new Error("no form for this photo");
  const { form: bucket, finish } = await opened.json();
  const body = new FormData();
  for (const [name, value] of Object.entries(bucket.fields)) body.append(name, value);
  body.append("file", photo);
  await fetch(bucket.url, { method: "POST", body }).catch(() => {}); // whether it is there, the site finds out itself
  return finished(finish);
}

async function finished(address) {
  for (let left = TRIES; ; left--) {
    const answer = await post(address);
    const wait = Number(answer.headers.get("Retry-After"));
    if (answer.status === 409 && !wait) throw new Error("the photo is not there");
    if (answer.ok || !wait || !left) return answer;
    await new Promise((goOn) => setTimeout(goOn, wait * 1000));
  }
}

function post(address, body) {
  return fetch(address, { method: "POST", headers: { "X-CSRFToken": form.csrfmiddlewaretoken.value }, body });
}

async function sentence(answer) {
  const wait = answer.headers.get("Retry-After");
  if (answer.status === 429) return `That was a lot. Please wait ${wait} seconds.`;
  const { image, detail } = await answer.json();
  return image ? image[0] : detail;
}

function tell(text) {
  const told = document.querySelector(".problem") ?? document.createElement("p");
  told.className = "problem";
  told.setAttribute("role", "alert");
  told.textContent = text;
  form.after(told);
}
