// judge: what Mozilla's HTTP Observatory and Google's CSP Evaluator say of pages.
//
//	NODE_EXTRA_CA_CERTS=ca.pem node judge.js HTTP_PORT HTTPS_PORT PATH...
//
// A line of JSON a path. The Observatory's own command asks the ports 80 and 443 only, and one path, so
// its parts are called here as its scan() calls them.
import { CspEvaluator } from 'csp_evaluator/dist/evaluator.js';
import { CspParser } from 'csp_evaluator/dist/parser.js';

const of = (name) => import(new URL(`src/${name}`, observatory));
const observatory = new URL('../', import.meta.resolve('@mdn/mdn-http-observatory'));
const { retrieve } = await of('retriever/retriever.js');
const { ALL_TESTS } = await of('constants.js');
const { getGradeForScore, getScoreModifier } = await of('grader/grader.js');
const { MINIMUM_SCORE_FOR_EXTRA_CREDIT } = await of('grader/charts.js');

const [httpPort, httpsPort, ...paths] = process.argv.slice(2);
for (const path of paths) {
	const pages = await retrieve('localhost', { httpPort, httpsPort, path });
	const page = pages.responses.auto;
	if (!page) {
		console.log(JSON.stringify({ path, status: 0 }));
		continue;
	}
	const results = ALL_TESTS.map((test) => test(pages));
	const scores = results.map((r) => (r.result ? getScoreModifier(r.result) : 0));
	const plain = 100 + scores.filter((n) => n < 0).reduce((a, b) => a + b, 0);
	const all = 100 + scores.reduce((a, b) => a + b, 0);
	const score = plain >= MINIMUM_SCORE_FOR_EXTRA_CREDIT ? all : plain;
	const csp = new CspEvaluator(new CspParser(page.headers['content-security-policy'] ?? '').csp);
	// 10 high, 20 syntax, 30 medium, 40 and 45 may be high or medium; above: advice
	const findings = csp.evaluate().filter((f) => f.severity <= 45).map((f) => f.description);
	const failed = results.filter((r) => !r.pass).map((r) => r.result);
	console.log(JSON.stringify({ path, status: page.status, type: page.headers['content-type'] ?? '',
		score, grade: getGradeForScore(score).grade, failed, findings }));
}
