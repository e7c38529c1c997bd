package io.distributedlock.sample;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.openqa.selenium.By;
import org.openqa.selenium.OutputType;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;
import org.openqa.selenium.logging.LogType;
import org.openqa.selenium.support.ui.WebDriverWait;

import org.springframework.boot.test.web.server.LocalServerPort;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

/**
 * Drives the page in a real browser: Chromium with its driver, where there is one.
 */
@SeckillTest
class PageTests {

	private static final Optional<Path> BROWSER = find("chromium", "chromium-browser", "google-chrome");

	private static final Optional<Path> DRIVER = find("chromedriver");

	private static ChromeDriver browser;

	@LocalServerPort
	private int port;

	@BeforeAll
	static void openBrowser() {
		assumeTrue(BROWSER.isPresent() && DRIVER.isPresent(), "no Chromium with chromedriver on the PATH");
		ChromeOptions options = new ChromeOptions();
		options.setBinary(BROWSER.orElseThrow().toFile());
		options.addArguments("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1280,1400");
		ChromeDriverService service = new ChromeDriverService.Builder()
			.usingDriverExecutable(DRIVER.orElseThrow().toFile())
			.usingAnyFreePort()
			.build();
		browser = new ChromeDriver(service, options);
	}

	private static Optional<Path> find(String... programs) {
		return Stream.of(programs)
			.flatMap((program) -> Stream.of(System.getenv("PATH").split(":"))
				.map((directory) -> Path.of(directory, program)))
			.filter(Files::isExecutable)
			.findFirst();
	}

	@AfterAll
	static void closeBrowser() {
		if (browser != null) {
			browser.quit();
		}
	}

	@BeforeEach
	void openPage() {
		browser.get("http://127.0.0.1:" + this.port + "/");
	}

	@Test
	void settingTheStockBeginsASale() {
		fill("product", "page-stock");
		fill("stock", "7");
		browser.findElement(By.id("set-stock")).click();
		awaitText("stock-left", "7");
		assertThat(text("orders")).isEqualTo("0");
		assertThat(text("message")).contains("7 items");
	}

	@Test
	void aRunWithTheLockSellsExactlyTheStockAndOneWithoutOversells() throws IOException {
		fill("product", "page-run");
		fill("stock", "20");
		fill("users", "300");
		fill("concurrency", "32");
		fill("clicks", "2");
		browser.findElement(By.id("run-locked")).click();
		awaitResults(1);
		assertThat(text("orders")).isEqualTo("20");
		assertThat(text("stock-left")).isEqualTo("0");
		assertThat(text("oversold")).isEqualTo("0");
		assertThat(text("twice")).isEqualTo("0");
		assertThat(Stream.of("ordered", "sold-out", "bought-already", "busy", "shed", "stale", "failed")
			.mapToInt((outcome) -> Integer.parseInt(text("n-" + outcome)))
			.sum()).isEqualTo(600);
		screenshot("page-with-lock.png");

		browser.findElement(By.id("run-unlocked")).click();
		awaitResults(2);
		assertThat(Integer.parseInt(text("oversold"))).isPositive();
		assertThat(browser.findElement(By.id("oversold-figure")).getDomAttribute("class")).contains("bad");
		List<WebElement> rows = browser.findElements(By.cssSelector("#history tr"));
		assertThat(rows.get(0).getText()).contains("without").contains(text("oversold"));
		assertThat(rows.get(1).getText()).contains("with 20 20 0 0");
		screenshot("page-without-lock.png");
		assertThat(browser.manage().logs().get(LogType.BROWSER).getAll())
			.filteredOn((entry) -> !entry.getMessage().contains("Failed to load resource"))
			.isEmpty();
	}

	@Test
	void aRefusedRunSaysWhy() {
		fill("product", "page-target");
		fill("targets", "http://example.org");
		browser.findElement(By.id("run-locked")).click();
		new WebDriverWait(browser, Duration.ofSeconds(30))
			.until((driver) -> text("message").contains("is not on this machine"));
	}

	private static void fill(String id, String value) {
		WebElement input = browser.findElement(By.id(id));
		input.clear();
		input.sendKeys(value);
	}

	private static String text(String id) {
		return browser.findElement(By.id(id)).getText();
	}

	private static void awaitText(String id, String expected) {
		new WebDriverWait(browser, Duration.ofSeconds(30)).until((driver) -> text(id).equals(expected));
	}

	private void awaitResults(int count) {
		new WebDriverWait(browser, Duration.ofSeconds(60)).until((driver) -> text("state").equals("done")
				&& driver.findElements(By.cssSelector("#history tr:not(.empty)")).size() == count);
	}

	private static void screenshot(String name) throws IOException {
		Files.write(Path.of("target", name), browser.getScreenshotAs(OutputType.BYTES));
	}

}
