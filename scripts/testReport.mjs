// SPDX-License-Identifier: Apache-2.0
// What a run of vitest counts, read from its JSON report.
import { readFileSync } from "node:fs";

/**
 * Passed, failed and the names of skipped tests; a run that ends with a code other than 0, or
 * without a report, has failed at least once.
 */
export function countReport(code, reportFile) {
  let report;
  try {
    report = JSON.parse(readFileSync(reportFile, "utf8"));
  } catch {
    return { passed: 0, failed: 1, skipped: [] };
  }
  const skipped = report.testResults
    .flatMap((file) => file.assertionResults)
    .filter((test) => test.status !== "passed" && test.status !== "failed")
    .map((test) => test.fullName);
  const failed = report.numFailedTests;
  return {
    passed: report.numPassedTests,
    failed: code !== 0 && failed === 0 ? 1 : failed,
    skipped,
  };
}
