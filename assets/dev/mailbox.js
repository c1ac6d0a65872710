// Says so when a mail comes. The list stays as it is until its reader wants the next one: it moves under nobody's hands.

const news = document.getElementById("news");

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

async function nextMail() {
  for (;;) {
    try {
      const reply = await fetch(`/dev/mail/?wait=25s&after=${news.dataset.newest}`);
      if (reply.ok) return;
      if (reply.status !== 404) await pause(5000);
    } catch {
      // The service is being started again.
      await pause(2000);
    }
  }
}

await nextMail();
news.append(document.getElementById("more").content.cloneNode(true));
