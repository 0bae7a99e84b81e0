// iframe-worker.js: lets the site's search work from a folder. Browsers refuse to start a worker from a file:// address,
// so an iframe stands in for it. The theme's worker looks for the name IFrameWorker in its parent.
if (location.protocol === "file:") {
  window.IFrameWorker = class extends EventTarget {
    constructor(url) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      document.body.appendChild(frame);
      this.frame = frame;
      const inside = frame.contentWindow;
      this.listener = ({ source, data }) => {
        if (source !== inside) return;
        const event = new MessageEvent("message", { data });
        this.dispatchEvent(event);
        if (this.onmessage) this.onmessage(event);
      };
      window.addEventListener("message", this.listener);
      this.ready = new Promise((resolve) => frame.addEventListener("load", resolve, { once: true }));
      const setUp = `
        postMessage = (data) => parent.postMessage(data, "*");
        importScripts = (...urls) => urls.reduce((before, url) => before.then(() => new Promise((resolve, reject) => {
          const script = document.createElement("script");
          script.src = url;
          script.onload = resolve;
          script.onerror = reject;
          document.body.appendChild(script);
        })), Promise.resolve());`;
      inside.document.open();
      inside.document.write(`<!doctype html><body><script>${setUp}<\/script><script src="${url}"><\/script></body>`);
      inside.document.close();
    }

    postMessage(data) {
      this.ready.then(() => this.frame.contentWindow.dispatchEvent(new MessageEvent("message", { data })));
    }

    terminate() {
      window.removeEventListener("message", this.listener);
      this.frame.remove();
    }
  };
  window.Worker = window.IFrameWorker;
}
