/*
 * lightcurve: comfort for the light curve, which is whole without it. Hovering (or the arrow keys)
 * shows a measurement's numbers; dragging (or the buttons) zooms in time; a double click shows all.
 *
 * The server drew marks at percents of the whole range [data-from, data-to] (MJD). A view is a part
 * [a, b] of 0..100 of it; zooming moves marks, error bars (by their viewBox) and axes. Where marks
 * stand for more points (data-drawn), or the page shows a range (data-ranged), the page of the range
 * chosen is fetched then, and its curve and table take the place of these.
 */
"use strict";
(() => {
	const parts = [".lightcurve", ".measurements"];
	const pageOf = () => location.pathname + location.search;
	let loading = null, here = pageOf();

	/* Puts curve and table of the page at a URL into this one; where that fails, goes there. */
	async function load(url) {
		if (loading)
			loading.abort();
		here = pageOf();
		const mine = loading = new AbortController();
		const hidden = [...document.querySelectorAll(".lightcurve .key input:not(:checked)")].map(e => e.className);
		let held;
		document.querySelector(".lightcurve").setAttribute("aria-busy", "true");
		try {
			const answer = await fetch(url, { signal: mine.signal, headers: { Accept: "text/html" } });
			const page = new DOMParser().parseFromString(await answer.text(), "text/html");
			const fresh = parts.map(part => page.querySelector(part));
			if (!answer.ok || fresh.includes(null))
				throw new Error(answer.status);
			held = focusable().indexOf(document.activeElement);
			parts.forEach((part, i) => document.querySelector(part).replaceWith(document.adoptNode(fresh[i])));
		} catch (e) {
			if (!mine.signal.aborted)
				location.assign(url);
			return;
		}
		for (const name of hidden)
			for (const e of document.querySelectorAll(".lightcurve .key ." + name))
				e.checked = false;
		start();
		const places = focusable(), place = places[held];
		if (place)
			(place.disabled ? places[0] : place).focus();
	}

	/* The buttons and the plot: who works them by keys keeps their place. */
	function focusable() {
		return [...document.querySelectorAll(".lightcurve .zoom button, .lightcurve .plot > svg")];
	}

	/* Shows a range of MJD; null: all. */
	function show(range) {
		const url = new URL(location.href);
		url.hash = "";
		for (const name of ["from", "to", "after"])
			url.searchParams.delete(name);
		if (range) {
			url.searchParams.set("from", range[0].toFixed(4));
			url.searchParams.set("to", range[1].toFixed(4));
		}
		history.pushState(null, "", url);
		load(url);
	}

	addEventListener("popstate", () => here !== pageOf() && load(new URL(location.href)));
	start();

	function start() {
		const plot = document.querySelector(".lightcurve .plot");
		const svg = plot && plot.querySelector("svg");
		if (!svg)
			return;
		const NS = "http://www.w3.org/2000/svg";
		const from = +svg.dataset.from, to = +svg.dataset.to, zero = +(svg.dataset.zero || 0);
		const ranged = "ranged" in svg.dataset, remote = ranged || "drawn" in svg.dataset;
		const percent = (e, name) => parseFloat(e.getAttribute(name));
		const make = (name, attributes, text) => {
			const e = document.createElementNS(NS, name);
			for (const key in attributes)
				e.setAttribute(key, attributes[key]);
			if (text)
				e.textContent = text;
			return e;
		};

		/* What moves with the view, and where it stands in the whole. */
		const moving = [...svg.querySelectorAll(".s use, .s text, .today text")].map(e => ({ e, x: percent(e, "x") }));
		const line = svg.querySelector(".today line");
		const lineX = line && percent(line, "x1");
		const boxes = [...svg.querySelectorAll(".s > svg")];
		const ticks = svg.querySelector(".ticks path"), times = svg.querySelector(".times"), dates = svg.querySelector(".dates");
		const whole = { ticks: ticks.getAttribute("d"), times: [...times.children], dates: [...dates.children] };
		const words = new Map();	/* what each mark says: a line of data-say of its group */
		const points = moving.filter(m => m.e.localName === "use").sort((p, q) => p.x - q.x);
		for (const g of svg.querySelectorAll("[data-say]")) {
			const say = g.dataset.say.split("\n");
			g.querySelectorAll("use").forEach((e, i) => { words.set(e, say[i]); });
		}
		for (const p of points) {
			p.say = words.get(p.e);
			p.y = percent(p.e, "y");
		}
		let a = 0, b = 100;

		/* 1, 2 or 5 times a power of ten, at most n in a span */
		const step = (span, n) => {
			const power = 10 ** Math.floor(Math.log10(span / n));
			return power * [1, 2, 5, 10].find(k => k * power >= span / n * (1 - 1e-9));
		};
		const at = mjd => ((mjd - from) / (to - from) * 100 - a) / (b - a) * 100;
		const dateOf = mjd => new Date((mjd - 40587) * 864e5);
		const months = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
		const multiples = (lo, hi, by) => {
			const list = [];
			for (let k = Math.ceil(lo / by); k * by <= hi; k++)
				list.push(k * by);
			return list;
		};

		function axis(group, list, y, dy, label) {
			group.replaceChildren(...list.map((mjd, i) => make("text",
				{ class: "mid" + (i % 2 ? " alt" : ""), x: at(mjd) + "%", y, dy }, label(mjd))));
		}

		function axes() {
			if (a === 0 && b === 100) {
				ticks.setAttribute("d", whole.ticks);
				times.replaceChildren(...whole.times);
				dates.replaceChildren(...whole.dates);
				return;
			}
			const lo = from + (to - from) * a / 100, hi = from + (to - from) * b / 100;
			const by = step(hi - lo, 8), list = multiples(lo - zero, hi - zero, by).map(t => t + zero);
			/* Below a day the calendar goes by hours that divide it. */
			const hours = [1, 2, 3, 6, 12].map(h => h / 24).find(h => (hi - lo) / h <= 8);
			const days = multiples(lo, hi, hours || Math.max(1, by));
			axis(times, list, "100%", 18, mjd => (mjd - zero).toFixed(Math.max(0, Math.ceil(-Math.log10(by) - 1e-9))));
			let year = 0;
			axis(dates, days, 0, -9, mjd => {
				/* the year stands with the first of its dates */
				const t = dateOf(mjd + 1 / 2880), same = year === (year = t.getUTCFullYear());
				const day = t.getUTCDate() + " " + months[t.getUTCMonth()] + (same ? "" : " " + year);
				return hours ? day + " " + String(t.getUTCHours()).padStart(2, "0") + "h" : day;
			});
			ticks.setAttribute("d", list.map(mjd => `M${at(mjd) * 1000} 10000v-200`).join("") +
				days.map(mjd => `M${at(mjd) * 1000} 0v200`).join(""));
		}

		function view(left, right) {
			const least = Math.min(100, 0.02 / (to - from) * 100);	/* half an hour */
			const middle = (left + right) / 2, half = Math.max(right - left, least) / 2;
			a = Math.max(0, Math.min(middle - half, 100 - 2 * half));
			b = Math.min(100, a + 2 * half);
			for (const m of moving) {
				const x = (m.x - a) / (b - a) * 100;
				m.e.setAttribute("x", x + "%");
				m.e.toggleAttribute("hidden", x < -0.2 || x > 100.2);
				m.e.style.display = m.e.hasAttribute("hidden") ? "none" : "";
			}
			for (const box of boxes) {
				box.setAttribute("viewBox", `${a * 1000} 0 ${(b - a) * 1000} 10000`);
				box.style.overflow = b - a < 100 ? "hidden" : "";
			}
			if (line) {
				const x = (lineX - a) / (b - a) * 100;
				line.setAttribute("x1", x + "%");
				line.setAttribute("x2", x + "%");
				line.style.display = x < 0 || x > 100 ? "none" : "";
			}
			axes();
			tell(null);
			out.disabled = all.disabled = !ranged && b - a >= 100;
			zoom.disabled = b - a <= least * 1.01;
		}

		const mjdAt = x => from + (to - from) * x / 100;

		/* A view that was chosen: at once with what is here, then with all points that are in it. */
		function choose(left, right) {
			if (!remote || (!ranged && left <= 0 && right >= 100))
				return view(left, right);
			if (left >= 0 && right <= 100)
				view(left, right);
			show([mjdAt(left), mjdAt(right)]);
		}

		function chooseAll() {
			if (ranged)
				show(null);
			else
				view(0, 100);
		}

		/* One measurement: a ring about it, its numbers beside it. */
		const ring = make("circle", { class: "ring", r: 8, visibility: "hidden" });
		const tip = make("text", { class: "tip", visibility: "hidden" });
		const live = document.createElement("output");
		live.className = "vh";
		let current = null;

		function tell(p) {
			current = p;
			for (const e of [ring, tip])
				e.setAttribute("visibility", p ? "visible" : "hidden");
			live.textContent = p ? p.say : "";
			if (!p)
				return;
			const x = percent(p.e, "x"), t = dateOf(+/MJD (-?[\d.]+)/.exec(p.say)[1] + 1 / 2880);	/* to the nearest minute */
			const date = isNaN(t) ? "" : ", " + t.toISOString().slice(0, 16).replace("T", " ");
			ring.setAttribute("cx", x + "%");
			ring.setAttribute("cy", p.y + "%");
			tip.setAttribute("x", x + "%");
			tip.setAttribute("y", p.y + "%");
			tip.setAttribute("dy", p.y < 8 ? 22 : -14);
			tip.setAttribute("dx", x < 20 ? -6 : x > 80 ? 6 : 0);
			tip.setAttribute("class", "tip" + (x < 20 ? "" : x > 80 ? " end" : " mid"));
			tip.textContent = p.say + date;
		}

		const shown = p => p.e.style.display !== "none" && p.e.getClientRects().length > 0;

		function nearest(event) {
			const box = svg.getBoundingClientRect();
			let best = null, least = 24 * 24;
			for (const p of points) {
				const dx = percent(p.e, "x") / 100 * box.width + box.left - event.clientX;
				const dy = p.y / 100 * box.height + box.top - event.clientY;
				if (dx * dx + dy * dy < least && shown(p)) {
					least = dx * dx + dy * dy;
					best = p;
				}
			}
			return best;
		}

		/* Dragging with a mouse chooses a range; fingers scroll the page and use the buttons. */
		const chosen = make("rect", { class: "shade", y: 0, height: "100%", visibility: "hidden" });
		let start = null;
		const place = event => {
			const box = svg.getBoundingClientRect();
			return Math.max(0, Math.min(100, (event.clientX - box.left) / box.width * 100));
		};
		plot.addEventListener("pointermove", event => {
			if (start === null) {
				const p = nearest(event);
				if (p !== current)
					tell(p);
				return;
			}
			const x = place(event);
			chosen.setAttribute("x", Math.min(x, start) + "%");
			chosen.setAttribute("width", Math.abs(x - start) + "%");
			chosen.setAttribute("visibility", "visible");
		});
		plot.addEventListener("pointerleave", () => start === null && tell(null));
		plot.addEventListener("pointerdown", event => {
			if (event.pointerType !== "mouse" || event.button !== 0)
				return;
			start = place(event);
			plot.setPointerCapture(event.pointerId);
			event.preventDefault();
		});
		const endDrag = () => {
			start = null;
			chosen.setAttribute("visibility", "hidden");
		};
		plot.addEventListener("pointercancel", endDrag);
		plot.addEventListener("pointerup", event => {
			if (start === null)
				return;
			const x = place(event), left = Math.min(x, start), right = Math.max(x, start), width = b - a;
			endDrag();
			if (right - left > 1)
				choose(a + left / 100 * width, a + right / 100 * width);
		});
		plot.addEventListener("dblclick", chooseAll);
		svg.addEventListener("keydown", event => {
			const move = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
			if (event.key === "Escape")
				return tell(null);
			if (!move)
				return;
			const list = points.filter(shown), i = list.indexOf(current);
			tell(list[i < 0 ? (move > 0 ? 0 : list.length - 1) : Math.max(0, Math.min(list.length - 1, i + move))] || null);
			event.preventDefault();
		});

		const buttons = document.createElement("span");
		buttons.className = "zoom";
		const button = (text, act) => {
			const e = document.createElement("button");
			e.type = "button";
			e.textContent = text;
			e.addEventListener("click", act);
			buttons.append(e);
			return e;
		};
		const about = factor => {
			/* about the measurement that is shown, else the middle */
			const middle = current ? current.x : (a + b) / 2, half = (b - a) / 2 * factor;
			choose(middle - half, middle + half);
		};
		const zoom = button("Zoom in", () => about(0.5));
		const out = button("Zoom out", () => about(2));
		const all = button("All", chooseAll);
		out.disabled = all.disabled = !ranged;
		document.querySelector(".lightcurve .key a").before(buttons);
		svg.append(chosen, ring, tip);
		svg.setAttribute("tabindex", "0");
		plot.after(live);
	}
})();
